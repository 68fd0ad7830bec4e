"""The demo: simulator, hub and desk in a temporary home; a story that plays in the inbox, or by itself and verifies each step."""

import click


@click.command()
@click.option("--headless", is_flag=True, help="Play the story without a terminal, verify each step, and say whether all held.")
@click.option("--keep", is_flag=True, help="Leave the temporary home behind, to look into it.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same customers write the same things.")
def demo(*, headless: bool, keep: bool, seed: int) -> int:
    """Try wabiz with a pretend business: a simulator plays Meta and the customers, everything else is real."""
    import sys

    from wabiz_tui.cli.hub import need_hub_extra

    need_hub_extra()
    if headless or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from wabiz_tui.cli.demo.story import play

        return play(keep=keep, seed=seed)
    from wabiz_tui.cli.demo.show import show

    return show(keep=keep, seed=seed)


__all__ = ["demo"]
