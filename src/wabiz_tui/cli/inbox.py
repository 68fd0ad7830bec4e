"""`wabiz inbox`: what `wabiz` alone does, with options."""

import click

from wabiz_tui.cli.commands import passphrase_option
from wabiz_tui.cli.opening import open_inbox


@click.command()
@click.option("--resumed-fd", type=click.IntRange(0), default=None, hidden=True)
@passphrase_option
def inbox(*, resumed_fd: int | None, passphrase_fd: int | None) -> int:
    """Open the inbox."""
    return open_inbox(passphrase_fd, resumed_fd=resumed_fd)
