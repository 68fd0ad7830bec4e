"""Remove what wabiz keeps on this machine, and say what was removed."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from wabiz_tui.desk.cache.attachments import FOLDER as OUTBOX_FILES
from wabiz_tui.desk.enrolment import Enrolment, find_enrolment
from wabiz_tui.desk.files import destroy
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.keys.stores import FILES as STORE_FILES
from wabiz_tui.desk.keys.stores import open_store
from wabiz_tui.desk.media.store import FOLDER, destroy_everything
from wabiz_tui.desk.purge.receipts import DAMAGED as DAMAGED_RECEIPTS
from wabiz_tui.desk.purge.receipts import NAME as RECEIPTS
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import BadInput, NoKeyStore, Unreachable, WabizError
from wabiz_tui.model.paths import Paths

_OUTBOX = "outbox*.db"
_END_SECONDS = 20.0


def destroy_keys_and_files(enrolment: Enrolment, config: Config, paths: Paths) -> list[str]:
    """Keys first: from then on no copy of the files can be opened. What was there, in words."""
    removed: list[str] = []
    warm.drop(enrolment.device)
    # The other: a change of stores that was cut off may have left a key there.
    for store in filter(None, (enrolment.key_store, enrolment.other_store)):
        with suppress(NoKeyStore, WabizError):
            # Deleting needs no passphrase, and a store that does not answer must not keep the files from going.
            open_store(store, config, paths.data, None).delete(enrolment.device)
            removed.append(f"the key in {store}")
    files = destroy_everything(paths.cache / FOLDER, enrolment.device)
    _destroy_drafts(paths)
    return removed + _destroy_databases(paths) + ([f"{files} files of messages"] if files else [])


async def wipe(paths: Paths, *, config: Config, clock: Clock) -> list[str]:
    """End the desk that runs, then remove cache, outbox, keys, receipts, log and enrolment. The configuration stays. Raises Denied
    when what listens in the desk's place belongs to somebody else, Unreachable when it neither answers nor can be ended from here."""
    await _end_desk(paths)
    removed: list[str] = []
    with suppress(BadInput):
        enrolment = find_enrolment(paths)
        if enrolment is not None:
            removed += destroy_keys_and_files(enrolment, config, paths)
    removed += _destroy_databases(paths)
    for name in (*STORE_FILES, RECEIPTS, DAMAGED_RECEIPTS, paths.enrolment_file.name):
        if (paths.data / name).exists():
            destroy(paths.data / name)
            removed.append(name)
    _destroy_drafts(paths)
    for folder in (paths.cache, paths.state, paths.runtime):
        if folder.is_dir() and folder != paths.config:
            for left in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
                destroy(left)
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(str(folder))
    with suppress(OSError):
        # What somebody else put there stays, and the folder with it.
        paths.data.rmdir()
    return removed


async def _end_desk(paths: Paths) -> None:
    """In order, or, if it does not answer, by force: what it would write is removed anyway."""
    from wabiz_tui.desk.process.client import DeskClient
    from wabiz_tui.desk.process.socket_file import listener_of, socket_path

    process = listener_of(socket_path(paths))
    if process is None:
        return
    try:
        async with asyncio.timeout(_END_SECONDS):
            client = await DeskClient.open(socket_path(paths))
            with suppress(WabizError):
                await client.lock("wipe")
            await client.end()
            await client.close()
    except (WabizError, OSError, TimeoutError) as error:
        if process <= 0:
            # The kernel names no process of another container; to kill(2), 0 is this one's whole group.
            raise Unreachable("The desk that runs in another container does not end; end it there, then wipe again.") from error
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _destroy_drafts(paths: Paths) -> None:
    """What a kill has left of a small file that was being written: a draft of a key store's file holds the key."""
    for name in (*STORE_FILES, RECEIPTS, DAMAGED_RECEIPTS, paths.enrolment_file.name):
        for draft in paths.data.glob(f".{name}.*"):
            destroy(draft)


def _destroy_databases(paths: Paths) -> list[str]:
    found: list[Path] = Shelf(paths.cache).everything() if paths.cache.is_dir() else []
    if paths.data.is_dir():
        found += sorted(path for pattern in (_OUTBOX, f"{_OUTBOX}-*") for path in paths.data.glob(pattern))
        found += sorted((paths.data / OUTBOX_FILES).glob("*"))
    for path in found:
        destroy(path)
    with suppress(OSError):
        (paths.data / OUTBOX_FILES).rmdir()
    return [path.name for path in found]
