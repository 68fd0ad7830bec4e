"""One Graph call as the endpoints see it: what is asked of which object, with which parameters, whichever way they were sent."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import MAX_BODY, Json, list_of, load_object, number_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.world import World

MAX_UPLOAD = 110 * 1024 * 1024
_MAX_PARAMETERS = 1000
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


class SentFile(msgspec.Struct, frozen=True):
    content: bytes
    mime_type: str
    filename: str


class Parameters(msgspec.Struct, frozen=True):
    """What came in query and body together; the body wins."""

    given: Json
    file: SentFile | None = None


@dataclass(frozen=True)
class Call:
    """`node` is the id the path names, `item` what follows the edge. `version` is the one the call is served with."""

    world: World
    request: Request
    method: str
    version: int
    node: str
    item: str
    given: Json
    file: SentFile | None = None
    is_app: bool = False

    @property
    def base_url(self) -> str:
        return str(self.request.base_url).rstrip("/")

    def word(self, name: str) -> str:
        return word(self.given.get(name))

    def required(self, name: str) -> str:
        """The text or whole number of that name. Raises CloudError 100 when it is missing or something else."""
        value = word(self.given.get(name))
        if not value:
            raise graph_error(100, f"The parameter {name} is required.")
        return value

    def items(self, name: str) -> list[Any]:
        """The list of that name, also where JSON holds it written out as text, as Graph takes it; empty when it is missing."""
        value = self.given.get(name)
        return list_of(decoded(value))

    def flag(self, name: str) -> bool | None:
        """True or false, also as a form writes them. Raises CloudError 100 for anything else; None when it is missing."""
        value = self.given.get(name)
        if value is None or isinstance(value, bool):
            return value
        if value in ("true", "1", 1):
            return True
        if value in ("false", "0", 0):
            return False
        raise graph_error(100, f"Param {name} must be a boolean.")

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number in these bounds. Raises CloudError 100 outside them; None when it is missing."""
        value = self.given.get(name)
        if value is None:
            return None
        number = number_of(value)
        if number is None or number != int(number) or not least <= number <= most:
            raise graph_error(100, f"Param {name} must be a whole number from {least} to {most}.")
        return int(number)

    def product(self) -> None:
        """Raises CloudError 100 unless `messaging_product` is whatsapp."""
        if self.given.get("messaging_product") != "whatsapp":
            raise graph_error(100, "The parameter messaging_product is required and must be 'whatsapp'.")


async def read_parameters(request: Request) -> Parameters:
    """Graph takes parameters from the query, from JSON, from a form and from multipart alike. Raises BadInput for what cannot be read and
    CloudError 100 for what is too large."""
    query = _from_form(request.scope["query_string"])
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return Parameters(query)
    kind = request.headers.get("content-type", "").split(";", maxsplit=1)[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_multipart(request, query)
    raw = await _body(request)
    if "file_offset" in request.headers:
        return Parameters(query, SentFile(raw, kind, ""))
    if not raw.strip():
        return Parameters(query)
    is_form = kind == _FORM or (kind != _JSON and not raw.lstrip().startswith(b"{"))
    return Parameters({**query, **(_from_form(raw) if is_form else load_object(raw))})


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise _too_large()
    return bytes(raw)


def _from_form(raw: bytes) -> Json:
    """Values that are written as JSON objects or lists are read as such; a name may end in `[]` to be a list."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise BadInput("The parameters cannot be read.") from error
    given: Json = {}
    for name, value in pairs:
        if name.endswith("[]"):
            given.setdefault(name[:-2], []).append(value)
        else:
            given[name] = decoded(value)
    return given


def decoded(value: object) -> object:
    """What a text holds that is a JSON object or list; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return load_object(b'{"v":' + value.encode() + b"}")["v"]
    except BadInput:
        return value


async def _from_multipart(request: Request, query: Json) -> Parameters:
    given, sent = dict(query), None
    bounded = Request(request.scope, _bounded(request))
    async with bounded.form(max_files=1, max_fields=_MAX_PARAMETERS, max_part_size=MAX_BODY) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                if name == "file":
                    sent = SentFile(content, value.content_type or "", value.filename or "")
                else:
                    given[name] = content.decode(errors="replace")
            else:
                given[name] = decoded(value)
    return Parameters(given, sent)


def _bounded(request: Request) -> Receive:
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > MAX_UPLOAD:
            raise _too_large()
        return message

    return receive


def _too_large() -> Exception:
    return graph_error(100, "The request is too large.")
