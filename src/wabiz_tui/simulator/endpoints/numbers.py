"""A business number: what it shows of itself, and what can be set on it (cloud-api §2)."""

from urllib.parse import urlsplit

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.account.numbers import Number
from wabiz_tui.simulator.account.telling import tell_name, tell_security
from wabiz_tui.simulator.customers.people import calling_code_of, country_of
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import parse_fields, shown
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.webhooks.courier import Callback
from wabiz_tui.simulator.world import World

TYPE = "WhatsAppBusinessAccountToNumberCurrentStatus"
DEFAULT = (
    "verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type", "throughput",
    "webhook_configuration",
)  # fmt: skip
IN_LISTS = (*DEFAULT, "status", "name_status")
MAX_URI = 200


def number_of_call(call: Call) -> Number:
    return call.world.account.numbers[call.node]


async def look_up(call: Call) -> Json:
    return shown(describe(call.world, number_of_call(call)), parse_fields(call.word("fields")), DEFAULT, TYPE)


async def listed(call: Call) -> Json:
    """`GET /{waba}/phone_numbers`."""
    fields = parse_fields(call.word("fields"))
    rows = [describe(call.world, one) for one in call.world.account.numbers.values()]
    return page(call, rows, lambda row: word(row["id"]), show=lambda row: shown(row, fields, IN_LISTS, TYPE))


def describe(world: World, number: Number) -> Json:
    """All fields there are; None where a field has no value."""
    return {
        "id": number.id,
        "display_phone_number": "+" + world.display(number.id),
        "verified_name": number.verified_name or world.business,
        "status": number.status,
        "quality_rating": number.quality,
        "quality_score": {"score": number.quality},
        "throughput": {"level": number.throughput},
        "name_status": number.name_status,
        "new_name_status": number.name_status,
        "code_verification_status": "VERIFIED" if number.is_verified else "NOT_VERIFIED",
        "platform_type": number.platform,
        "host_platform": number.platform,
        "account_mode": "LIVE",
        "is_official_business_account": number.is_official,
        "is_on_biz_app": number.is_on_app,
        "is_pin_enabled": number.pin is not None,
        "is_preverified_number": False,
        "search_visibility": number.search_visibility,
        "username": number.username or None,
        "whatsapp_business_manager_messaging_limit": world.account.reach.tier,
        "messaging_limit_tier": world.account.reach.tier,
        "health_status": health_of_number(world, number),
        "webhook_configuration": webhooks_of(world, number),
        "conversational_automation": {"id": number.id, **number.automation} if number.automation else None,
        "certificate": None,
        "new_certificate": None,
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "unified_cert_status": None,
        "country_code": country_of(world.display(number.id)),
        "last_onboarded_time": world.started_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "country_dial_code": calling_code_of(world.display(number.id)),
    }


def webhooks_of(world: World, number: Number) -> Json:
    """Which callbacks are known; the first there is, number before account before app, is told (cloud-api §2)."""
    app, own = world.courier.callback, world.courier.overrides()
    places = (("phone_number", own.get(number.id)), ("whatsapp_business_account", own.get(world.options.waba_id)), ("application", app))
    return {key: callback.url for key, callback in places if callback is not None}


def health_of_number(world: World, number: Number) -> Json:
    return _health(world, [_entity("PHONE_NUMBER", number.id, _number_errors(number))])


def health_of_account(world: World) -> Json:
    return _health(world, [])


def _health(world: World, first: list[Json]) -> Json:
    """The worst entity wins."""
    now, waba = world.now(), world.options.waba_id
    locked = world.faults.find("account_locked", now) is not None
    unpaid = world.faults.find("payment_missing", now) is not None
    of_account = [_obstacle(131031, "The account is locked.")] if locked else []
    of_account += [_obstacle(131042, "There is a problem with the payment method.")] if unpaid else []
    entities = [
        *first,
        _entity("WABA", waba, of_account),
        _entity("BUSINESS", f"{waba}0", []),
        _entity("APP", world.options.app_id, []),
    ]
    ranks = ("AVAILABLE", "LIMITED", "BLOCKED")
    worst = max((word(one["can_send_message"]) for one in entities), key=ranks.index)
    return {"can_send_message": worst, "entities": entities}


def _number_errors(number: Number) -> list[Json]:
    return [] if number.is_registered else [_obstacle(141000, "The phone number is not registered.")]


def _obstacle(code: int, description: str) -> Json:
    return {"error_code": code, "error_description": description, "possible_solution": "See the account in Meta's Business Manager."}


def _entity(kind: str, name: str, errors: list[Json]) -> Json:
    state = "BLOCKED" if errors else "AVAILABLE"
    return {"entity_type": kind, "id": name, "can_send_message": state, **({"errors": errors} if errors else {})}


async def change(call: Call) -> Json:
    """`POST /{number}`: the two-step PIN, the callback of this number, its name, whether it can be searched for."""
    number, done = number_of_call(call), False
    if "pin" in call.given:
        number.set_pin(call.word("pin"))
        tell_security(call.world, number.id, "PIN_CHANGED")
        done = True
    if "webhook_configuration" in call.given:
        await set_override(call, call.node, object_of(call.given["webhook_configuration"]))
        done = True
    if "new_display_name" in call.given:
        name = call.required("new_display_name")
        if len(name) > 75:
            raise graph_error(100, "Param new_display_name must be at most 75 characters long.")
        tell_name(call.world, number, name)
        done = True
    if "search_visibility" in call.given:
        if call.word("search_visibility") not in ("VISIBLE", "HIDDEN"):
            raise graph_error(100, "Param search_visibility must be one of {VISIBLE, HIDDEN}")
        number.search_visibility = call.word("search_visibility")
        done = True
    if not done:
        raise graph_error(100, "One of pin, webhook_configuration, new_display_name or search_visibility is required.")
    return {"success": True}


async def set_override(call: Call, name: str, asked: Json) -> None:
    """Gives the number or account `name` a callback of its own, or takes it away; the handshake follows."""
    url = read_override(asked)
    callback = make_callback(call, url, word(asked.get("verify_token"))) if url is not None else None
    if callback is not None or name in call.world.courier.overrides():
        await call.world.courier.set_override(name, callback)


def make_callback(call: Call, url: str, verify_token: str) -> Callback:
    """Signed with the app's secret, as all are."""
    old = call.world.courier.callback
    secret = old.app_secret if old is not None else call.world.options.app_secret
    return Callback(url, secret, Secret(verify_token))


def read_override(asked: Json) -> str | None:
    """The callback asked for; None takes it away. Raises CloudError 100 for what is no URL or has no verify token."""
    url = word(asked.get("override_callback_uri"))
    if not url:
        return None
    parts = urlsplit(url)
    if len(url) > MAX_URI or parts.scheme not in ("http", "https") or not parts.hostname:
        raise graph_error(100, f"Param override_callback_uri must be a URL of at most {MAX_URI} characters.")
    if not word(asked.get("verify_token")):
        raise graph_error(100, "The parameter verify_token is required.")
    return url


async def forget_contact(call: Call) -> Json:
    """`DELETE /{number}/contact_book`: Meta forgets the phone number it keeps for one user."""
    call.product()
    person = call.world.people.find(user_id=call.required("bsuid"))
    if person is None:
        raise graph_error(131009, "The parameter bsuid is not a user id of this portfolio")
    if person.username:
        person.is_phone_hidden = True
    return {"success": True}
