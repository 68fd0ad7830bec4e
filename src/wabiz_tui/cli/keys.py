"""The command keys: the name of each key that is pressed, and the keymap in force."""

import sys

import click

from wabiz_tui.cli.commands import json_option
from wabiz_tui.cli.output import print_json
from wabiz_tui.model.errors import UsageError


@click.command()
@json_option
def keys(*, as_json: bool) -> None:
    """Press keys and read what wabiz calls them (leave with q q or Ctrl+C); with --json, the keymap in force."""
    from wabiz_tui.cli.opening import check_keymap
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.paths import paths_from_environment
    from wabiz_tui.tui.actions import ACTIONS, Keymap

    paths = paths_from_environment()
    config = load_config(paths)
    check_keymap(config, paths)
    keymap = Keymap(config.keymap)
    if as_json:
        print_json({"id": action.id, "keys": keymap.keys[action.id], "title": action.title} for action in ACTIONS)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("Without a terminal there are no keys to press: `wabiz keys --json` prints the keymap in force.")
    from wabiz_tui.model.text import safe_line
    from wabiz_tui.tui.probe import probe

    titles: dict[str, list[str]] = {}
    for action in ACTIONS:
        for key in keymap.keys[action.id]:
            titles.setdefault(key, []).append(f"{action.title} ({action.id})")

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def tell(key: str) -> None:
        # The terminal is raw: it does not begin a line at the left by itself.
        write(safe_line(f"{key:<20}{'; '.join(titles.get(key, ()))}".rstrip()) + "\r\n")

    write("Press keys; q q or Ctrl+C leaves.\r\n")
    probe(sys.stdin.fileno(), tell, write)
