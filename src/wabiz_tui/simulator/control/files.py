"""The bytes of files a request brings."""

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.simulator.customers.forms import decoded
from wabiz_tui.simulator.world import World


async def add_media(world: World, asked: Json) -> Json:
    encoded = word(asked.get("base64")) or word(asked.get("bytes")) or word(asked.get("media")) or word(asked.get("data"))
    mime_type = word(asked.get("mime")) or word(asked.get("mime_type")) or "application/octet-stream"
    number = word(asked.get("number")) or world.options.phone_number_ids[0]
    filename = word(asked.get("filename"))
    stored = world.media.add(decoded(encoded), mime_type, filename=filename, now=world.now(), is_incoming=True, number=number)
    return {"id": stored.id, "mime_type": stored.mime_type, "sha256": stored.sha256.hex(), "size": len(stored.content)}
