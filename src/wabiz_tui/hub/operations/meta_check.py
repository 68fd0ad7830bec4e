"""What Meta knows of this hub: its token, app, subscriptions, numbers, and whether her webhooks can reach it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from wabiz_tui.cloud.accounts import app_token
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.hub.operations.findings import Finding, failed, ok, warning
from wabiz_tui.hub.operations.secrets import HubSecrets
from wabiz_tui.hub.operations.settings import Settings
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import CloudError, WabizError
from wabiz_tui.model.secret import Secret

_WEBHOOKS = "/webhooks/whatsapp"
_SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
_FIELDS = ("message_template_status_update", "account_update", "phone_number_quality_update", "user_preferences")
"""Beside `messages`: what the hub shows, and what goes unnoticed without."""
_ENDS_SOON = timedelta(days=14)
_LITTLE_SKEW, _MUCH_SKEW = timedelta(seconds=10), timedelta(minutes=2)
_PATIENCE = timedelta(seconds=10)
_CHALLENGE = "1158201444"
_MOST_PAGES = 200


class _Asking(NamedTuple):
    settings: Settings
    secrets: HubSecrets
    client: CloudClient
    now: datetime


async def examine_meta(settings: Settings, secrets: HubSecrets, clock: Clock) -> list[Finding]:
    """Asks only; nothing is sent or changed. What Meta refuses is told in her words."""
    try:
        transport = Transport(settings.hub.graph_url, secrets.graph_token, timeout=_PATIENCE, whole=2 * _PATIENCE)
    except WabizError as error:
        return [failed("meta", error.sentence)]
    try:
        asking = _Asking(settings, secrets, CloudClient(transport, settings.hub.graph_version), clock.now())
        reached = await _clock_skew(asking, transport)
        if reached.check == "meta":
            return [reached]
        token, app = await _token(asking)
        secret, by = await _app_secret(asking, app)
        callbacks, subscribed = await _subscriptions(asking, app, by)
        numbers = [finding for number in settings.hub.numbers for finding in await _number(asking, number)]
        if settings.server.public_url:
            callbacks.setdefault(settings.server.public_url.rstrip("/") + _WEBHOOKS, "public_url")
        reach = [await _reach(url, of, secrets.verify_token) for url, of in callbacks.items()]
        return [reached, *token, secret, *subscribed, *(reach or [_unknown_callback()]), *numbers]
    finally:
        await transport.close()


async def _clock_skew(asking: _Asking, transport: Transport) -> Finding:
    """By the Date header of any answer; a refusal will be told by what is asked next."""
    hub = asking.settings.hub
    try:
        answer = await transport.request("GET", f"{hub.graph_version}/{hub.tenant}", params={"fields": "id"})
    except CloudError as error:
        if error.http_status is None:
            return failed("meta", f"{error.sentence} See that this machine reaches {urlsplit(hub.graph_url).netloc}.")
        return ok("clock", "Not compared: Meta refused the question.")
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return ok("clock", "Not compared: the answer holds no date.")
    apart = abs(asking.now.astimezone(UTC) - theirs)
    told = f"This machine's clock and Meta's are {apart.total_seconds():.0f} s apart"
    if apart > _MUCH_SKEW:
        return failed("clock", f"{told}: windows and retention are judged wrongly; switch on time synchronisation.")
    return warning("clock", f"{told}; switch on time synchronisation.") if apart > _LITTLE_SKEW else ok("clock", f"{told}.")


async def _token(asking: _Asking) -> tuple[list[Finding], str]:
    """And the id of the token's app; empty where it is not told."""
    try:
        info = await asking.client.apps.token_info(asking.secrets.graph_token, by=asking.secrets.graph_token)
    except WabizError as error:
        return [failed("graph token", f"Meta refuses it: {error.sentence} Put a new one into the secret graph_token.")], ""
    app = word(info.get("app_id"))
    if info.get("is_valid") is not True:
        return [failed("graph token", "It is not valid (any more); put a new one into the secret graph_token.")], app
    missing = [scope for scope in _SCOPES if scope not in list_of(info.get("scopes"))]
    if missing:
        return [failed("graph token", f"It lacks {' and '.join(missing)}; make one with both for a system user.")], app
    ends = info.get("expires_at")
    if isinstance(ends, int) and ends > 0:
        left = datetime.fromtimestamp(ends, UTC) - asking.now
        if left < _ENDS_SOON:
            how = "has expired" if left <= timedelta() else f"expires in {left.days} days"
            return [
                (failed if left <= timedelta() else warning)("graph token", f"It {how}; make one that does not, for a system user.")
            ], app
        return [ok("graph token", f"Both scopes; it expires in {left.days} days.")], app
    return [ok("graph token", "Both scopes; it does not expire.")], app


async def _app_secret(asking: _Asking, app: str) -> tuple[Finding, Secret | None]:
    """And the app's own token, where one of the secrets makes one."""
    if not app:
        return warning("app secret", "Not tried: Meta did not tell which app the token is of."), None
    right: list[int] = []
    by: Secret | None = None
    for number, secret in enumerate(asking.secrets.app_secrets, 1):
        made = app_token(app, secret)
        try:
            await asking.client.apps.token_info(asking.secrets.graph_token, by=made)
        except WabizError:
            continue
        right.append(number)
        by = made
    count = len(asking.secrets.app_secrets)
    if not right:
        return failed(
            "app secret", f"Meta knows none of the {count} in app_secret as app {app}'s: its webhooks would be refused as forged."
        ), by
    if len(right) < count:
        return warning(
            "app secret", f"{count - len(right)} of {count} is not app {app}'s (any more); take it out once the change is over."
        ), by
    return ok("app secret", f"It is app {app}'s."), by


async def _subscriptions(asking: _Asking, app: str, by: Secret | None) -> tuple[dict[str, str], list[Finding]]:
    """The callbacks that Meta will call, with what each is of; and what is to be said of them."""
    findings: list[Finding] = []
    callbacks: dict[str, str] = {}
    if by is not None:
        findings.append(await _app_subscription(asking, app, by, callbacks))
    for account in sorted(asking.settings.hub.all_accounts):
        try:
            rows = await _all(asking.client.accounts.subscriptions(account))
        except WabizError as error:
            findings.append(failed("subscription", f"Account {account}: {error.sentence}"))
            continue
        ours = [row for row in rows if not app or word(object_of(row.get("whatsapp_business_api_data")).get("id")) == app]
        if not ours:
            findings.append(failed("subscription", f"No app of this token is told of account {account}: POST /{account}/subscribed_apps."))
            continue
        own = word(ours[0].get("override_callback_uri"))
        if own:
            callbacks[own] = f"account {account}"
        findings.append(ok("subscription", f"Account {account} tells this app{' at a callback of its own' if own else ''}."))
    return callbacks, findings


async def _app_subscription(asking: _Asking, app: str, by: Secret, callbacks: dict[str, str]) -> Finding:
    try:
        rows = await _all(asking.client.apps.subscriptions(app, by=by))
    except WabizError as error:
        return warning("callback", f"The app's subscriptions cannot be read: {error.sentence}")
    row = next((row for row in rows if row.get("object") == "whatsapp_business_account"), None)
    if row is None or row.get("active") is False:
        return failed(
            "callback", f"App {app} has no callback for whatsapp_business_account: set it in the app's dashboard, or at the account."
        )
    callbacks[word(row.get("callback_url"))] = f"app {app}"
    fields = {word(object_of(field).get("name")) or word(field) for field in list_of(row.get("fields"))}
    if "messages" not in fields:
        return failed("callback", f"App {app} is not subscribed to the field messages: no message reaches the hub.")
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        return warning("callback", f"App {app} is not subscribed to {', '.join(missing)}.")
    return ok("callback", f"App {app} is subscribed to messages and {len(fields) - 1} fields more.")


async def _reach(url: str, of: str, verify_token: Secret) -> Finding:
    """As Meta does it when a callback is set (cloud-api §6)."""
    check = "webhook"
    asked = {"hub.mode": "subscribe", "hub.challenge": _CHALLENGE}
    try:
        transport = Transport(url, None, timeout=_PATIENCE, whole=2 * _PATIENCE)
    except WabizError as error:
        return failed(check, f"The callback of {of} cannot be called: {error.sentence}")
    try:
        answer = await transport.request("GET", "", params=asked, secret_params={"hub.verify_token": verify_token}, secrets=(verify_token,))
    except CloudError as error:
        if error.http_status == 403:
            return failed(check, f"{_shown(url)} ({of}) refuses the verify token: it is another hub, or the token differs.")
        how = f"answers {error.http_status}" if error.http_status is not None else "does not answer"
        return failed(check, f"{_shown(url)} ({of}) {how}; see that a hub runs and its proxy passes {_WEBHOOKS} on.")
    except WabizError as error:
        return failed(check, f"{_shown(url)} ({of}): {error.sentence}")
    finally:
        await transport.close()
    if answer.body.strip() != _CHALLENGE.encode():
        return failed(check, f"{_shown(url)} ({of}) answers something else than the challenge: it is no hub.")
    return ok(check, f"{_shown(url)} ({of}) answers the handshake.")


async def _number(asking: _Asking, number: str) -> list[Finding]:
    check, numbers = f"number {number}", asking.client.numbers
    try:
        info = await numbers.info(number, fields="id,status,quality_rating,platform_type")
        health = await numbers.health(number)
    except WabizError as error:
        return [failed(check, f"{error.sentence} See that the token's system user has access to its account.")]
    can_send, quality, status = word(health.get("can_send_message")), word(info.get("quality_rating")), word(info.get("status"))
    if can_send == "BLOCKED":
        return [failed(check, f"It cannot send: {_why(health)}")]
    if can_send == "LIMITED":
        return [warning(check, f"Sending is limited: {_why(health)}")]
    if quality == "RED":
        return [warning(check, "Its quality is low (RED): customers block or report it; send less marketing before Meta limits it.")]
    if status not in ("", "CONNECTED"):
        return [warning(check, f"Its status is {status}; see WhatsApp Manager.")]
    return [ok(check, f"It can send; quality {quality or 'not told'}.")]


def _why(health: Json) -> str:
    """The first reason among Meta's own, in her words, and what she says to do."""
    for entity in map(object_of, list_of(health.get("entities"))):
        for error in map(object_of, list_of(entity.get("errors"))):
            told = [word(error.get("error_description")), word(error.get("possible_solution"))]
            return " ".join(part for part in told if part)[:300] or "Meta gives no reason."
    return "Meta gives no reason; see WhatsApp Manager."


def _unknown_callback() -> Finding:
    return warning("webhook", "Not tried: neither the app's callback nor [server] public_url is known.")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"[:200]


async def _all(rows: AsyncIterator[Json]) -> list[Json]:
    found: list[Json] = []
    async for row in rows:
        found.append(row)
        if len(found) >= _MOST_PAGES:
            break
    return found
