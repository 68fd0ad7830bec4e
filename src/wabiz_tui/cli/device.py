"""Commands about this machine: enroll, sync, status, purge, lock, unlock, wipe, doctor."""

import asyncio
import sys
from typing import Final

import click

from wabiz_tui.cli.catching_up import sync_and_tell
from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.session import ask_passphrase, machine_paths, read_passphrase, run, with_desk
from wabiz_tui.model.desk import Desk, DeskStatus, Keeping, PurgeOutcome
from wabiz_tui.model.errors import NoKeyStore, UsageError
from wabiz_tui.model.paths import paths_from_environment

_HEARING_SECONDS: Final = 3.0
_LOOK_EVERY: Final = 0.05
_FAR: Final = 1000
"""Changes that take longer than a moment to apply."""
_UNSEEN: Final = ("conversations", "head", "cursor")
"""What nobody can say of a cache that is shut."""


@click.command()
@click.argument("hub_url")
@click.argument("code")
@click.option("--name", default="", help="What administrators see this machine as; its host name if left out.")
@json_option
@passphrase_option
def enroll(hub_url: str, code: str, *, name: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Make this machine a device of the hub at HUB_URL with a one-time CODE from an administrator."""
    from wabiz_tui.desk.enrolment import enroll as enroll_device
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config

    paths = paths_from_environment()
    config = load_config(paths)
    passphrase = read_passphrase(passphrase_fd)
    clock = clock_from_environment()
    try:
        enrolment = run(enroll_device(hub_url, code, paths=paths, config=config, passphrase=passphrase, clock=clock, device_name=name))
    except NoKeyStore:
        if passphrase is not None:
            raise
        chosen = ask_passphrase(again=True)
        enrolment = run(enroll_device(hub_url, code, paths=paths, config=config, passphrase=chosen, clock=clock, device_name=name))
    if as_json:
        print_json([enrolment])
    else:
        say(f"This machine is now device {enrolment.device} of {enrolment.person_name}. `wabiz` opens the inbox.")


@click.command()
@json_option
@passphrase_option
def sync(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Catch up with what the hub held when this was called, then return.

    A long one shows how far it is: on a terminal, or with --json as lines {cursor, head} before the last, {reached}.
    """
    reached = with_desk(passphrase_fd, lambda desk: sync_and_tell(desk, as_json=as_json))
    if as_json:
        print_json([{"reached": reached}])
    else:
        say(f"Caught up with the hub at {reached}.")


@click.command()
@json_option
@passphrase_option
def status(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Say how this machine stands: link, lease, policy, epoch, messages, outbox, next purge, key store.

    A desk that has only just started is given up to three seconds to hear the hub. With --json what is not known is null: head until
    the hub has told it. Of a locked desk nothing is seen: messages, outbox, policy and epoch are 0.
    """

    async def act() -> DeskStatus:
        from wabiz_tui.desk.process.launch import connect

        desk = await connect(machine_paths(), passphrase=read_passphrase(passphrase_fd))
        try:
            return await settled_status(desk)
        finally:
            await desk.close()

    now = run(act())
    if as_json:
        print_json([status_record(now)])
        return
    print_table(
        ("", ""), ((key.replace("_", " "), value) for key, value in status_record(now).items() if value not in (None, "")), empty=""
    )


async def settled_status(desk: Keeping, *, patience: float = _HEARING_SECONDS, every: float = _LOOK_EVERY) -> DeskStatus:
    """The status once the hub has answered or failed to, or when `patience` (seconds) ends: a script that starts the desk by asking
    would otherwise be told `connecting` each time. A desk that has far to catch up is not waited for."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + patience
    now = await desk.status()
    while now.link == "connecting" and now.head - now.cursor < _FAR and loop.time() < ends:
        await asyncio.sleep(every)
        now = await desk.status()
    return now


def status_record(now: DeskStatus) -> dict[str, object]:
    """The status as the contract names it, then the rest; None for what is not known. What every script reads
    stays a number: of a locked desk nothing can be seen, which is 0."""
    import msgspec

    record: dict[str, object] = {field.name: getattr(now, field.name) for field in msgspec.structs.fields(DeskStatus)}
    if now.locked:
        record |= dict.fromkeys(_UNSEEN)
    elif not now.head and now.link != "online":
        record["head"] = None
    first = ("link", "lease_until", "policy", "epoch", "messages", "outbox", "next_purge", "key_store")
    return {key: record[key] for key in first} | {key: value for key, value in record.items() if key not in first}


@click.command()
@json_option
@passphrase_option
def purge(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Rebuild the cache under a new key without what the policy no longer allows, and sign a receipt."""
    outcome = with_desk(passphrase_fd, lambda desk: desk.purge())
    if as_json:
        print_json([purge_record(outcome)])
    else:
        say(f"Removed {outcome.removed} messages; epoch {outcome.epoch} is in force and its predecessor's key is destroyed.")


def purge_record(outcome: PurgeOutcome) -> dict[str, object]:
    return {"removed": outcome.removed, "epoch": outcome.epoch, "receipt": outcome.receipt}


@click.command()
@json_option
@passphrase_option
def lock(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Close the cache and drop its keys; every open screen goes blank."""
    from wabiz_tui.desk.process.launch import lock as lock_desk

    # Needs none: whoever may run it may lock.
    read_passphrase(passphrase_fd)
    run(lock_desk(paths_from_environment()))
    if as_json:
        print_json([{"locked": True}])
    else:
        say("Locked.")


@click.command()
@json_option
@passphrase_option
def unlock(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Open the cache again."""

    async def act(desk: Desk) -> DeskStatus:
        return await desk.status()

    now = with_desk(passphrase_fd, act)
    if as_json:
        print_json([status_record(now)])
    else:
        say("Unlocked.")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@passphrase_option
def wipe(*, yes: bool, as_json: bool, passphrase_fd: int | None) -> None:
    """Remove the cache, the keys and the enrolment of this machine, and say what was removed."""
    from wabiz_tui.desk.purge.wipe import wipe as wipe_machine
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config

    read_passphrase(passphrase_fd)
    if not yes and not sys.stdin.isatty():
        raise UsageError("Without a terminal nobody can be asked: `wabiz wipe --yes` removes everything wabiz keeps on this machine.")
    if not yes and not click.confirm("Unsent messages and drafts are lost. Remove everything wabiz keeps on this machine?", err=True):
        raise UsageError("Nothing was removed.")
    paths = paths_from_environment()
    removed = run(wipe_machine(paths, config=load_config(paths), clock=clock_from_environment()))
    if as_json:
        print_json({"removed": item} for item in removed)
    elif not removed:
        say("There was nothing to remove.")
    else:
        for item in removed:
            say(f"removed {item}")


@click.command()
@json_option
@passphrase_option
def doctor(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Say which key store is used, why the others are not, and what root could do on this machine."""
    from wabiz_tui.desk.doctor import examine
    from wabiz_tui.model.config import load_config

    # Needs none: it opens nothing.
    read_passphrase(passphrase_fd)
    paths = paths_from_environment()
    findings = examine(paths, load_config(paths))
    if as_json:
        print_json(findings)
        return
    print_table(("", "check", "finding"), ((finding.mark, finding.check, finding.sentence) for finding in findings), empty="")
