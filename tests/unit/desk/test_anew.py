"""A hub that was restored tells everything anew: what it does not tell is let go of."""

from pathlib import Path

from tests.support.desk_samples import StillClock, contact, conversation, holding, ident, item, message
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.model.secret import Secret


async def test_what_is_not_told_anew_is_gone(tmp_path: Path) -> None:
    """A first batch of a restored hub hides all that was held; what it tells is held again, with its words, and the rest falls due."""
    clock = StillClock()
    cache = Cache(tmp_path / "cache 1.db", Secret(bytes(range(32))), epoch=1, now=clock.now, me=ident(7))
    try:
        held = [item(contact(1)), item(conversation(1)), item(conversation(2)), item(message(1, 1)), item(message(2, 1))]
        await cache.apply(held, holding(), cursor=9)

        await cache.apply([item(conversation(1)), item(message(1, 1))], holding(), cursor=1000, is_anew=True)

        assert [row.id for row in await cache.conversations()] == [ident(1)]
        assert [row.id for row in await cache.messages(ident(1))] == [item(message(1, 1)).id]
        assert (await cache.marks()).cursor == 1000
        assert await cache.due_since() is not None
    finally:
        cache.close()
