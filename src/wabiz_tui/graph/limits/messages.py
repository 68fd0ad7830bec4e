"""Judge whole messages: what stands around the content, and each type that needs no room of its own (cloud-api §4)."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits.interactive import check_interactive
from wabiz_tui.graph.limits.measuring import THEIRS, Bounds, Part
from wabiz_tui.graph.limits.media import MEDIA_TYPES, check_media
from wabiz_tui.graph.limits.templates import check_place, check_template
from wabiz_tui.graph.reading import Json
from wabiz_tui.model.errors import CloudError, LimitBroken

if TYPE_CHECKING:
    from wabiz_tui.graph.requests import SendRequest

TEXT = 4096
CALLBACK_DATA = 512
IN_GROUPS = ("text", "image", "video", "audio", "document", "sticker", "template", "pin")
_UNSUPPORTED_TYPE = 131051
_NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def check(request: "SendRequest") -> None:
    """Judge a message somebody else sends. Raises CloudError with Meta's code and details that name the field and its limit."""
    with refusing():
        check_message(request.original, request.type, THEIRS)


def check_message(body: Json, kind: str, bounds: Bounds) -> None:
    """Judge a whole body of type `kind`. Raises LimitBroken."""
    message = Part(body, "", bounds)
    check_envelope(message, kind)
    if kind == "contacts":
        for card in message.parts("contacts", 1, bounds.contacts):
            _card(card)
        return
    _CHECKS[kind](message.part(kind))


def check_envelope(message: Part, kind: str) -> None:
    """What stands around the content: callback data, quote, group. Raises LimitBroken."""
    message.text("biz_opaque_callback_data", CALLBACK_DATA, is_needed=False)
    if kind == "reaction":
        message.forbid("context", why="is not allowed for reactions")
    is_group = message.has("recipient_type") and message.choice("recipient_type", ("individual", "group")) == "group"
    if is_group and kind not in IN_GROUPS:
        allowed = ", ".join(IN_GROUPS)
        message.refuse("type", f"must be one of {allowed} in a group", limit=allowed, code=_UNSUPPORTED_TYPE)
    if kind == "pin" and not is_group:
        message.refuse("recipient_type", "must be group for a pin", limit="group")


@contextmanager
def refusing() -> Generator[None]:
    """Turns LimitBroken into the refusal Meta gives."""
    try:
        yield
    except LimitBroken as broken:
        raise refusal(broken) from broken


def refusal(broken: LimitBroken) -> CloudError:
    """The error Meta answers with when `broken` is sent."""
    return graph_error(broken.graph_code, f"The parameter {broken.field} {broken.why}")


def _text(text: Part) -> None:
    text.text("body", TEXT)
    if text.has("preview_url") and text.bounds.is_ours and not isinstance(text.json["preview_url"], bool):
        text.refuse("preview_url", "must be true or false", limit="true or false")


def _card(card: Part) -> None:
    name = card.part("name")
    name.text("formatted_name", 1024)
    parts = [name.text(part, 1024, is_needed=False) for part in _NAME_PARTS]
    if not any(parts):
        name.miss("first_name")
    for key, needed in (("phones", "phone"), ("emails", "email"), ("urls", "url")):
        for item in card.parts(key, 0, 100):
            item.text(needed, 2000, is_needed=card.bounds.is_ours)
    card.parts("addresses", 0, 100)
    if card.has("org"):
        card.part("org")
    birthday = card.text("birthday", 64, is_needed=False)
    if birthday and card.bounds.is_ours and not _DAY.fullmatch(birthday):
        card.refuse("birthday", "must be written YYYY-MM-DD", limit="YYYY-MM-DD")


def _reaction(reaction: Part) -> None:
    reaction.text("message_id", 512)
    reaction.text("emoji", 64, is_needed=False)


def _pin(pin: Part) -> None:
    kind = pin.choice("type", ("pin", "unpin"))
    pin.text("message_id", 512)
    if kind == "pin" or pin.has("expiration_days"):
        pin.whole("expiration_days", 1, 30)


def _media(kind: str) -> Callable[[Part], None]:
    return lambda media: check_media(media, kind)


_CHECKS: dict[str, Callable[[Part], None]] = {
    "text": _text,
    **{kind: _media(kind) for kind in MEDIA_TYPES},
    "location": check_place,
    "reaction": _reaction,
    "interactive": check_interactive,
    "template": check_template,
    "pin": _pin,
}
