"""Whether a copy of a cache file can still be opened: for proofs, with everything that exists now and nothing that does not."""

import base64
from pathlib import Path

from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import get_enrolment, open_bundle, open_link
from wabiz_tui.desk.keys import warm
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import Denied, NotFound, StoreError
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.derivation import cache_key


async def opening_keys(paths: Paths, epoch: int, *, config: Config, passphrase: Secret | None, clock: Clock) -> list[Secret]:
    """Every key that can be had now: those the kernel keeps, and those derived from the key store and each share that the hub
    still gives, for `epoch` and for the current one. Raises Unreachable when the hub cannot be asked."""
    enrolment = get_enrolment(paths)
    desk_clock = DeskClock(clock)
    kept = warm.find(enrolment.device, now=desk_clock.now())
    keys = list(kept.epochs.values()) if kept is not None else []
    bundle = await open_bundle(enrolment, paths=paths, config=config, passphrase=passphrase, now=desk_clock.now())

    async def seed() -> Secret:
        return bundle.seed

    who = {"cache_id": enrolment.cache_id, "agent": enrolment.person, "device": enrolment.device}
    link = open_link(enrolment.hub_url, enrolment.device, enrolment.tenant, seed, desk_clock, config=config, paths=paths)
    try:
        for wanted in (epoch, None):
            try:
                reply = await link.share(wanted)
            except (NotFound, Denied):
                # Destroyed at the hub: the answer this function is for.
                continue
            share = Secret(base64.b64decode(reply.share))
            keys += [cache_key(local, share, **who, epoch=number) for local in bundle.locals for number in {epoch, reply.epoch}]
    finally:
        await link.close()
    return keys


def opens(path: Path, keys: list[Secret]) -> bool:
    """Whether any of the keys opens the database at `path`. Cost: about a millisecond a key."""
    for key in keys:
        try:
            open_connection(path, key, is_reader=True).close()
        except (StoreError, Denied):
            continue
        return True
    return False
