"""A WhatsApp Business Account: what it is, who is told of it, its figures; and the app behind the token."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.numbers import override
from wabiz_tui.graph.reading import Json, object_of
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

FIELDS = "id,name,currency,timezone_id,message_template_namespace,account_review_status"
_OBJECT = "whatsapp_business_account"
_TEMPLATES = 10


class Accounts:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def info(self, waba: str, *, fields: str = FIELDS) -> Json:
        return await self._calls.get(waba, params={"fields": fields})

    def subscriptions(self, waba: str) -> AsyncIterator[Json]:
        """The apps that hear this account's webhooks, with their `override_callback_uri` (M "Webhook overrides")."""
        return self._calls.pages(waba, "subscribed_apps")

    async def subscribe(self, waba: str, *, callback: str | None = None, verify_token: Secret | None = None) -> None:
        """Have the account's webhooks sent to the token's app, or their messages to `callback` instead, which Meta asks for the
        challenge first. Without `callback` an override that was there is gone."""
        if callback is None:
            await self._calls.post(waba, "subscribed_apps")
        elif verify_token is None:
            raise BadInput("A callback of its own needs a verify token.")
        else:
            await self._calls.post(waba, "subscribed_apps", body=override(callback, verify_token), secrets=(verify_token,))

    async def unsubscribe(self, waba: str) -> None:
        await self._calls.delete(waba, "subscribed_apps")

    async def analytics(self, waba: str, expression: str) -> Json:
        """The figures that an expression of cloud/analytics.py asks for: the object under its field's name."""
        answer = await self._calls.get(waba, params={"fields": expression})
        return object_of(answer.get(expression.partition(".")[0]))

    def template_analytics(
        self, waba: str, templates: Sequence[str], start: datetime, end: datetime, *, metric_types: Sequence[str] = ()
    ) -> AsyncIterator[Json]:
        """Sent, delivered, read and clicked for each day of 1 to 10 templates, 90 days back at most (M "Analytics"). Meta must have
        been asked once, in WhatsApp Manager, to count."""
        if not 1 <= len(templates) <= _TEMPLATES or end <= start:
            raise BadInput(f"Name 1 to {_TEMPLATES} templates, and a span that ends after its start.")
        params: dict[str, str | int] = {
            "start": int(start.timestamp()),
            "end": int(end.timestamp()),
            "granularity": "DAILY",
            "template_ids": encode(list(templates)).decode(),
        }
        if metric_types:
            params["metric_types"] = encode(list(metric_types)).decode()
        return self._calls.pages(waba, "template_analytics", params=params)


class Apps:
    """The app, by its own token (`app_token`): its subscriptions, and what another token is worth."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def token_info(self, token: Secret, *, by: Secret) -> Json:
        """`{is_valid, expires_at, scopes, app_id, type, …}` of `token`; `by` is an app token, or the token itself (Graph API
        "/debug_token")."""
        return object_of((await self._calls.get("debug_token", secret_params={"input_token": token}, token=by)).get("data"))

    def subscriptions(self, app: str, *, by: Secret) -> AsyncIterator[Json]:
        return self._calls.pages(app, "subscriptions", token=by)

    async def subscribe(self, app: str, callback: str, verify_token: Secret, fields: Sequence[str], *, by: Secret) -> None:
        """Webhooks of all accounts the app is subscribed to go to `callback`, in the payload version chosen for the app (Graph API
        "/{app-id}/subscriptions")."""
        form = {"object": _OBJECT, "callback_url": callback, "verify_token": verify_token.text(), "fields": ",".join(fields)}
        await self._calls.post(app, "subscriptions", form=form, token=by, secrets=(verify_token,))

    async def unsubscribe(self, app: str, *, by: Secret) -> None:
        await self._calls.delete(app, "subscriptions", params={"object": _OBJECT}, token=by)


def app_token(app: str, app_secret: Secret) -> Secret:
    """`{app-id}|{app-secret}` (cloud-api §1)."""
    return Secret(app.encode() + b"|" + app_secret.reveal())
