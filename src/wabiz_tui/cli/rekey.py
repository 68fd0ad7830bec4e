"""The command rekey: new keys for what this machine holds, in the key store that the configuration asks for."""

import sys

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, say
from wabiz_tui.cli.session import ask_passphrase, machine_paths, read_passphrase, run
from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.errors import NoKeyStore, UsageError
from wabiz_tui.model.secret import Secret


@click.command()
@click.option("--new-passphrase-fd", type=click.IntRange(0), help="Read the new passphrase from this descriptor, up to its first line end.")
@json_option
@passphrase_option
def rekey(*, new_passphrase_fd: int | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Change the local secret: cache and outbox go under new keys, and the old ones open nothing.

    What stays: the device's own key, with which it signs and by which the hub knows it, and the hub's share of the outbox. So after
    a theft, or where somebody may have read this machine, this is not enough: have the device revoked, and enrol it again.

    Moves to another key store where `[keys]` in config.toml asks for one. Where a passphrase keeps the secret it is needed, and a
    new one may be given: on a terminal it is asked for twice, empty to keep it.
    """
    passphrase, new = read_passphrase(passphrase_fd), read_passphrase(new_passphrase_fd, option="--new-passphrase-fd")
    now = run(_rekey(passphrase, new))
    if as_json:
        print_json([{"key_store": now.key_store, "epoch": now.epoch}])
    else:
        say(
            f"The keys of cache and outbox are new and the old ones are destroyed; the local secret is kept in {now.key_store}, "
            f"epoch {now.epoch} is in force."
        )


async def _rekey(passphrase: Secret | None, new: Secret | None) -> DeskStatus:
    from wabiz_tui.desk.process.launch import connect

    desk = await connect(machine_paths(), passphrase=passphrase)
    try:
        status = await desk.status()
        if status.needs_passphrase and passphrase is None:
            passphrase = ask_passphrase()
        if status.locked:
            await desk.unlock(passphrase)
        if status.needs_passphrase and new is None:
            new = _ask_new()
        try:
            return await desk.rekey(passphrase, new)
        except NoKeyStore:
            if new is not None or passphrase is not None or not sys.stdin.isatty():
                raise
            # The store that is asked for is a passphrase's, and there was none before.
            return await desk.rekey(None, ask_passphrase(again=True))
    finally:
        await desk.close()


def _ask_new() -> Secret | None:
    """None to keep the one of the moment, which is all that can be where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    import getpass

    new = getpass.getpass("New passphrase (empty: keep the one you have): ", stream=sys.stderr)
    if new and getpass.getpass("The same again: ", stream=sys.stderr) != new:
        raise UsageError("The two passphrases differ; nothing was changed.")
    return Secret(new) if new else None
