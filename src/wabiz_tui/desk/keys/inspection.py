"""Derive the key of the newest cache file as a desk would, for those who must look into it."""

from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import get_enrolment, open_link
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.config import load_config
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret


async def find_cache_key(paths: Paths, passphrase: Secret | None) -> bytes:
    """Raises as keys.cache_key tells. Leaves nothing behind: neither the kernel keyring nor a file is written."""
    enrolment, config, clock = get_enrolment(paths), load_config(paths), DeskClock(clock_from_environment())
    shelf = Shelf(paths.cache)
    newest = next(iter(shelf.epochs()), None) if paths.cache.is_dir() else None
    if newest is None:
        raise NotFound("There is no cache on this machine yet.")
    kept = warm.find(enrolment.device, now=clock.now())
    if kept is not None and newest in kept.epochs:
        return kept.epochs[newest].reveal()
    vault = Vault(enrolment, config=config, paths=paths, clock=clock, keeps_warm=False)
    seed = (await vault.open_bundle(passphrase)).seed
    link = open_link(enrolment.hub_url, enrolment.device, enrolment.tenant, seed, clock, config=config, paths=paths)
    try:
        vault.take_share(await link.share(newest))
        if vault.former_outbox is not None:
            # While the local secret is being changed the file may still be under a key of the one before.
            vault.open_file(newest, lambda key: open_connection(shelf.path(newest), key, is_reader=True).close())
        return vault.keys[newest].reveal()
    finally:
        await link.close()
        vault.close()
