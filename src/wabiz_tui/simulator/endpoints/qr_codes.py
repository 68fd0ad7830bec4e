"""`/{number}/message_qrdls`: short links with a message that is written already (cloud-api §2)."""

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import Field, parse_fields, shown
from wabiz_tui.simulator.endpoints.numbers import number_of_call
from wabiz_tui.simulator.endpoints.paging import page
from wabiz_tui.simulator.refusals import no_object

TYPE = "WhatsAppMessageQRCode"
MOST, MAX_MESSAGE, LENGTH = 2000, 140, 14
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DEFAULT = ("code", "prefilled_message", "deep_link_url")


async def listed(call: Call) -> Json:
    rows = list(number_of_call(call).codes.values())
    wanted = call.word("code")
    fields = parse_fields(call.word("fields"))
    kept = [row for row in rows if wanted in ("", row["code"])]
    return page(call, kept, lambda row: word(row["code"]), show=lambda row: _shown(call, row, fields))


async def look_up(call: Call) -> Json:
    """The API answers with a list of the one, and of none where there is no such code: so pywa reads it."""
    row, fields = number_of_call(call).codes.get(call.item), parse_fields(call.word("fields"))
    return {"data": [_shown(call, row, fields)] if row is not None else []}


async def create(call: Call) -> Json:
    """With a `code`, in the path or beside the message, it is an edit of that one."""
    message = call.given.get("prefilled_message")
    if not isinstance(message, str) or not 1 <= len(message) <= MAX_MESSAGE:
        raise graph_error(100, f"Param prefilled_message must be between 1 and {MAX_MESSAGE} characters long.")
    image = call.word("generate_qr_image").upper()
    if image not in ("", "PNG", "SVG"):
        raise graph_error(100, "Param generate_qr_image must be one of {PNG, SVG}")
    codes = number_of_call(call).codes
    name = call.item or call.word("code")
    if name and name not in codes:
        raise no_object(name, "post")
    if not name and len(codes) >= MOST:
        raise graph_error(100, f"At most {MOST} QR codes can be made for a phone number.")
    name = name or "".join(call.world.chance.choice(_LETTERS) for _ in range(LENGTH))
    made = int(call.world.now().timestamp())
    codes[name] = {"creation_time": made, **codes.get(name, {}), "code": name, "prefilled_message": message}
    if image:
        codes[name]["image"] = image
    return _shown(call, codes[name], (), with_image=bool(image))


async def delete(call: Call) -> Json:
    row = _found(call)
    del number_of_call(call).codes[word(row["code"])]
    return {"success": True}


def _found(call: Call) -> Json:
    row = number_of_call(call).codes.get(call.item)
    if row is None:
        raise no_object(call.item, call.method)
    return row


def _shown(call: Call, row: Json, fields: tuple[Field, ...], *, with_image: bool = False) -> Json:
    code = word(row["code"])
    whole: Json = {
        "code": code,
        "prefilled_message": row["prefilled_message"],
        "deep_link_url": f"https://wa.me/message/{code}",
        "creation_time": row["creation_time"],
        "qr_image_url": f"{call.base_url}/whatsapp_business/qr/{code}.{word(row.get('image')).lower() or 'png'}",
    }
    # qr_image_url.format(SVG) is how Graph asks for a kind of picture.
    return shown(whole, fields, (*_DEFAULT, "qr_image_url") if with_image else _DEFAULT, TYPE)
