"""What customers see of a number: profile, username, and short links with a message written already (M "Business profiles")."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.model.errors import BadInput

FIELDS = "about,address,description,email,profile_picture_url,websites,vertical"
# Meta's OpenAPI file gives 256 for the description, pywa 512: the larger one is let through (cloud-api §18).
_LENGTHS = {"about": (1, 139), "address": (0, 256), "description": (0, 512), "email": (0, 128)}
_WEBSITES, _WEBSITE = 2, 256
_MESSAGE = 140


class Profiles:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, number: str, *, fields: str = FIELDS) -> Json:
        """The profile; empty where Meta tells none."""
        answer = await self._calls.get(number, "whatsapp_business_profile", params={"fields": fields})
        return object_of(next(iter(list_of(answer.get("data"))), None))

    async def update(
        self,
        number: str,
        *,
        about: str | None = None,
        address: str | None = None,
        description: str | None = None,
        email: str | None = None,
        websites: Sequence[str] | None = None,
        vertical: str | None = None,
        profile_picture_handle: str | None = None,
    ) -> None:
        """Changes what is given; an empty text takes it away. The handle is that of a resumable upload. Raises BadInput naming the
        part that is too long."""
        texts = {"about": about, "address": address, "description": description, "email": email}
        for name, text in texts.items():
            least, most = _LENGTHS[name]
            if text is not None and not least <= len(text) <= most:
                raise BadInput(f"{name} must be {least} to {most} characters long.")
        if websites is not None and (len(websites) > _WEBSITES or any(len(site) > _WEBSITE for site in websites)):
            raise BadInput(f"There may be {_WEBSITES} websites of at most {_WEBSITE} characters.")
        others = {"websites": websites, "vertical": vertical, "profile_picture_handle": profile_picture_handle}
        body: dict[str, Any] = {name: value for name, value in (texts | others).items() if value is not None}
        await self._calls.post(number, "whatsapp_business_profile", body={"messaging_product": "whatsapp", **body})

    async def username(self, number: str) -> Json:
        """`{username, status}`, status `approved` or `reserved`."""
        return await self._calls.get(number, "username")

    async def set_username(self, number: str, username: str) -> Json:
        """Errors 147001 to 147005 when it is taken or not allowed (cloud-api §2)."""
        return await self._calls.post(number, "username", body={"username": username})

    async def remove_username(self, number: str) -> None:
        await self._calls.delete(number, "username")

    async def username_suggestions(self, number: str) -> list[str]:
        answer = await self._calls.get(number, "username_suggestions")
        rows = [list_of(object_of(row).get("username_suggestions")) or [row] for row in list_of(answer.get("data"))]
        return [word(name) for row in rows for name in row if word(name)]

    def links(self, number: str) -> AsyncIterator[Json]:
        """`{code, prefilled_message, deep_link_url}` of each (M "QR codes and short links")."""
        return self._calls.pages(number, "message_qrdls")

    async def create_link(self, number: str, message: str, *, image: Literal["PNG", "SVG"] | None = None) -> Json:
        """`image` asks for a picture: its address is then in `qr_image_url`."""
        body = {"prefilled_message": _prefilled(message)}
        return await self._calls.post(number, "message_qrdls", body=body if image is None else body | {"generate_qr_image": image})

    async def change_link(self, number: str, code: str, message: str) -> Json:
        return await self._calls.post(number, "message_qrdls", body={"code": code, "prefilled_message": _prefilled(message)})

    async def delete_link(self, number: str, code: str) -> None:
        await self._calls.delete(number, "message_qrdls", code)


def _prefilled(message: str) -> str:
    if not 0 < len(message) <= _MESSAGE:
        raise BadInput(f"The message must be 1 to {_MESSAGE} characters long.")
    return message
