"""The bytes of files a request brings."""

import base64
import binascii

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.world import World


def decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise BadInput("`media` is not base64.") from error


async def add_media(world: World, asked: Json) -> Json:
    encoded = word(asked.get("base64")) or word(asked.get("bytes")) or word(asked.get("media")) or word(asked.get("data"))
    mime_type = word(asked.get("mime")) or word(asked.get("mime_type")) or "application/octet-stream"
    number = word(asked.get("number")) or world.options.phone_number_ids[0]
    filename = word(asked.get("filename"))
    stored = world.media.add(decoded(encoded), mime_type, filename=filename, now=world.now(), is_incoming=True, number=number)
    return {"id": stored.id, "mime_type": stored.mime_type, "sha256": stored.sha256.hex(), "size": len(stored.content)}
