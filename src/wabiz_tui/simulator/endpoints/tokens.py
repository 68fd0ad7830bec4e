"""Who calls: the token, its proof by the app secret, and what a token may do (cloud-api §1)."""

import hashlib
import hmac
from datetime import datetime, timedelta

from starlette.requests import Request

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.refusals import METHOD, Refusal
from wabiz_tui.simulator.world import World

SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")
EXPIRED, INVALID = 463, 467
_USER = "122100000000000001"
APP_TOKEN = "oauth/access_token"  # noqa: S105 a path
_AUTH = ("access_token", "appsecret_proof", "appsecret_time")


def admit(world: World, request: Request, given: Json) -> bool:
    """Takes the token out of the header or the parameters (which lose it), and judges it; True for the app's own token.

    Raises Refusal 2500 without a token, 190 for an expired or wrong one, 100 for a wrong or missing appsecret_proof."""
    scheme, _, header = request.headers.get("authorization", "").partition(" ")
    # A parameter wins over the header: so clients that send their own token in each header name the app's for one call.
    token = word(given.get("access_token")) or header.strip()
    proof = word(given.get("appsecret_proof"))
    for name in _AUTH:
        given.pop(name, None)
    if not token or (scheme and scheme.lower() not in ("bearer", "oauth")):
        raise Refusal(2500, "An active access token must be used to query information about the current user.")
    is_app = _is_app_token(world, token)
    if not is_app:
        _judge(world, token)
    _check_proof(world, token, proof)
    return is_app


def _judge(world: World, token: str) -> None:
    if world.faults.take("token_expired", world.now()) is not None:
        raise _expired(world.now())
    expected = world.options.token
    if expected is not None and not hmac.compare_digest(expected.reveal(), token.encode()):
        raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", subcode=INVALID, status=401)


def _expired(now: datetime) -> Refusal:
    ended, told = ((at.strftime("%A, %d-%b-%y %H:%M:%S UTC")) for at in (now - timedelta(hours=1), now))
    message = f"Error validating access token: Session has expired on {ended}. The current time is {told}."
    return Refusal(190, message, subcode=EXPIRED, status=401)


def _is_app_token(world: World, token: str) -> bool:
    secret = world.options.app_secret
    return secret is not None and hmac.compare_digest(f"{world.options.app_id}|{secret.text()}".encode(), token.encode())


def _check_proof(world: World, token: str, proof: str) -> None:
    """HMAC-SHA256 of the token under the app secret, in hex; asked for only where the app demands it."""
    secret = world.options.app_secret
    if secret is None or (not proof and not world.options.requires_proof):
        return
    if not proof:
        raise Refusal(100, "API calls from the server require an appsecret_proof argument", kind=METHOD)
    if not hmac.compare_digest(hmac.new(secret.reveal(), token.encode(), hashlib.sha256).hexdigest(), proof.lower()):
        raise Refusal(100, "Invalid appsecret_proof provided in the API argument", kind=METHOD)


async def debug_token(call: Call) -> Json:
    """`GET /debug_token?input_token=`: what a token is worth."""
    world, asked = call.world, call.required("input_token")
    app: Json = {"app_id": world.options.app_id, "application": "wabiz"}
    if _is_app_token(world, asked):
        return {"data": {**app, "type": "APP", "is_valid": True, "expires_at": 0, "data_access_expires_at": 0, "scopes": []}}
    wrong = _refused(world, asked)
    if wrong is not None:
        error = {"code": wrong.number, "message": wrong.message, "subcode": wrong.subcode}
        return {"data": {**app, "error": error, "is_valid": False, "scopes": []}}
    lost = world.faults.find("permission_lost", world.now())
    scopes = [] if lost is not None else list(SCOPES)
    return {
        "data": {
            **app,
            "type": "SYSTEM_USER",
            "user_id": _USER,
            "is_valid": True,
            "issued_at": int(world.started_at.timestamp()),
            "expires_at": 0,
            "data_access_expires_at": 0,
            "scopes": scopes,
            "granular_scopes": [{"scope": scope, "target_ids": [world.options.waba_id]} for scope in scopes],
        }
    }


def _refused(world: World, token: str) -> Refusal | None:
    if world.faults.find("token_expired", world.now()) is not None:
        return _expired(world.now())
    try:
        _judge(world, token)
    except Refusal as refusal:
        return refusal
    return None


async def app_token(call: Call) -> Json:
    """`GET /oauth/access_token?grant_type=client_credentials`: the app's own token for its id and secret."""
    options = call.world.options
    if call.required("client_id") != options.app_id:
        raise Refusal(101, "Error validating application. Cannot get application info due to a system error.")
    given = call.required("client_secret")
    if options.app_secret is not None and not hmac.compare_digest(options.app_secret.reveal(), given.encode()):
        raise Refusal(1, "Error validating client secret.")
    if call.word("grant_type") != "client_credentials":
        raise Refusal(100, "Missing redirect_uri parameter.")
    return {"access_token": f"{options.app_id}|{given}", "token_type": "bearer"}


async def me(call: Call) -> Json:
    """`GET /me`: the system user the token belongs to."""
    return {"name": f"{call.world.business} system user", "id": _USER}
