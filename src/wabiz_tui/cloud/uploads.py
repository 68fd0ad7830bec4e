"""Samples for template headers and pictures for profiles: they go up in sessions that can be resumed, and are named by a handle
(Graph API "Resumable Upload API"; cloud-api §5.3)."""

from urllib.parse import parse_qsl, quote

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.multipart import safe_filename
from wabiz_tui.cloud.outcomes import NeverLeft, Uncertain
from wabiz_tui.cloud.patience import may_ask_again
from wabiz_tui.graph.limits import MEDIA_SIZES
from wabiz_tui.graph.reading import Json, load_object, number_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")
_SESSION = "upload:"
_TRIES = 5


class Uploads:
    """The app is the one whose token is used. No customer sees what goes up here, so that a cut is mended by going on."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def upload(self, app: str, content: bytes, mime_type: str, filename: str) -> str:
        """The handle: for `example.header_handle` of a template or `profile_picture_handle` of a profile.

        What breaks off goes on where Meta says it ended, five times at most. Raises BadInput for a type or size that Meta takes for
        no sample, Refused when Meta refuses, and the last NeverLeft or Uncertain when it keeps breaking off.
        """
        session = await self.begin(app, mime_type, filename, len(content))
        offset = 0
        for is_last in (*(False,) * (_TRIES - 1), True):
            try:
                told = await self._send(session, content[offset:], offset)
            except (NeverLeft, Uncertain):
                if is_last:
                    raise
                offset = await self.offset(session)
                continue
            if handle := word(told.get("h")):
                return handle
            offset = _offset(told)
        raise BadInput("WhatsApp took the file and names no handle for it: upload it again.")

    async def begin(self, app: str, mime_type: str, filename: str, size: int) -> str:
        """A session for one file, of a type and size told beforehand."""
        if mime_type not in TYPES or not 1 <= size <= MEDIA_SIZES["document"]:
            raise BadInput(f"A sample must be 1 to {MEDIA_SIZES['document']} bytes of one of {', '.join(TYPES)}.")
        told = {"file_name": safe_filename(filename), "file_length": str(size), "file_type": mime_type}
        session = word((await self._calls.post(app, "uploads", form=told)).get("id"))
        if not session.startswith(_SESSION):
            raise BadInput("WhatsApp's answer names no session for the upload.")
        return session

    async def offset(self, session: str) -> int:
        """How many bytes of the file have come so far."""
        path, signature = self._place(session)

        async def ask() -> bytes:
            return (await self._calls.transport.request("GET", path, secret_params=signature)).body

        return _offset(load_object(await self._calls.persistence.insist(ask, may_ask_again)))

    async def _send(self, session: str, content: bytes, offset: int) -> Json:
        path, signature = self._place(session)
        headers = {"file_offset": str(offset), "Content-Type": "application/octet-stream"}
        answer = await self._calls.transport.request("POST", path, content=content, headers=headers, secret_params=signature)
        return load_object(answer.body)

    def _place(self, session: str) -> tuple[str, dict[str, Secret]]:
        """The path of a session; its id carries a signature as a query."""
        name, _, query = session.partition("?")
        return f"{self._calls.version}/{quote(name, safe=':=')}", {key: Secret(value) for key, value in parse_qsl(query)}


def _offset(told: Json) -> int:
    number = number_of(told.get("file_offset"))
    if number is None or number < 0 or number != int(number):
        raise BadInput("WhatsApp's answer does not say how much of the file came.")
    return int(number)
