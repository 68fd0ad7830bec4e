"""Business phone numbers: what they are and may, registering them, and their settings (M "Phone numbers", "Registration")."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.graph.reading import Json, object_of
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

FIELDS = (
    "id,display_phone_number,verified_name,status,quality_rating,throughput,name_status,code_verification_status,platform_type,"
    "is_official_business_account,whatsapp_business_manager_messaging_limit,webhook_configuration"
)
_PROMPTS, _PROMPT = 4, 80
_COMMANDS, _COMMAND, _DESCRIPTION = 30, 32, 256
_LONGEST_URI = 200


class Numbers:
    """`number` is a phone_number_id everywhere. Registering: a handful of attempts, then 133016 and a lock of 72 hours."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list(self, waba: str, *, fields: str = FIELDS) -> AsyncIterator[Json]:
        return self._calls.pages(waba, "phone_numbers", params={"fields": fields})

    async def info(self, number: str, *, fields: str = FIELDS) -> Json:
        return await self._calls.get(number, params={"fields": fields})

    async def health(self, node: str) -> Json:
        """`{can_send_message, entities}` of a number, an account or a template; the worst entity wins (M "Health status")."""
        return object_of((await self._calls.get(node, params={"fields": "health_status"})).get("health_status"))

    async def register(self, number: str, pin: Secret) -> None:
        """With the six digits of two-step verification."""
        await self._calls.post(number, "register", body={"messaging_product": "whatsapp", "pin": pin.text()}, secrets=(pin,))

    async def deregister(self, number: str) -> None:
        await self._calls.post(number, "deregister")

    async def request_code(self, number: str, method: Literal["SMS", "VOICE"], language: str) -> None:
        await self._calls.post(number, "request_code", body={"code_method": method, "language": language})

    async def verify_code(self, number: str, code: Secret) -> None:
        await self._calls.post(number, "verify_code", body={"code": code.text()}, secrets=(code,))

    async def settings(self, number: str) -> Json:
        return await self._calls.get(number, "settings")

    async def change_settings(self, number: str, feature: str, value: Mapping[str, Any]) -> None:
        """One feature a request: calling, user_identity_change, payload_encryption or storage_configuration."""
        await self._calls.post(number, "settings", body={feature: dict(value)})

    async def automation(self, number: str) -> Json:
        """Prompts, commands and welcome message (M "Conversational components")."""
        return object_of((await self._calls.get(number, params={"fields": "conversational_automation"})).get("conversational_automation"))

    async def set_automation(
        self, number: str, *, prompts: Sequence[str] = (), commands: Mapping[str, str] | None = None, welcomes: bool = False
    ) -> None:
        """Replaces all three; `commands` maps a name to its description. Raises BadInput above Meta's limits."""
        commands = commands or {}
        _bound("prompts", prompts, _PROMPTS, _PROMPT)
        _bound("commands", list(commands), _COMMANDS, _COMMAND)
        _bound("command descriptions", list(commands.values()), _COMMANDS, _DESCRIPTION)
        told = [{"command_name": name, "command_description": description} for name, description in commands.items()]
        body = {"enable_welcome_message": welcomes, "prompts": list(prompts), "commands": told}
        await self._calls.post(number, "conversational_automation", body=body)

    async def override_webhook(self, number: str, url: str, verify_token: Secret) -> None:
        """Messages of this number go to `url`, ahead of the account's and the app's callback (M "Webhook overrides"). Meta asks
        `url` for the challenge before it answers."""
        await self._configure(number, override(url, verify_token), (verify_token,))

    async def remove_override(self, number: str) -> None:
        await self._configure(number, {"override_callback_uri": ""}, ())

    async def _configure(self, number: str, configuration: Mapping[str, str], secrets: tuple[Secret, ...]) -> None:
        await self._calls.post(number, body={"webhook_configuration": dict(configuration)}, secrets=secrets)


def override(url: str, verify_token: Secret) -> dict[str, str]:
    """The two keys of a webhook override. Raises BadInput above 200 characters."""
    if not url or len(url) > _LONGEST_URI:
        raise BadInput(f"The callback URL must be 1 to {_LONGEST_URI} characters long.")
    return {"override_callback_uri": url, "verify_token": verify_token.text()}


def _bound(what: str, texts: Sequence[str], most: int, longest: int) -> None:
    if len(texts) > most or any(not 0 < len(text) <= longest for text in texts):
        raise BadInput(f"There may be {most} {what} of 1 to {longest} characters.")
