"""What a key costs on the line: counted on a real pseudo-terminal, in bytes, which no busy machine changes."""

import os
import statistics
import sys

from bench.support.terminal import Terminal


def test_a_move_redraws_two_rows() -> None:
    """Moving in a long queue sends about two rows, not the screen: the median of twenty moves is under 2 KB at 120×36."""
    with Terminal([sys.executable, "-m", "tests.support.tui_gallery", "--rows", "500"], dict(os.environ)) as terminal:
        terminal.wait_for("link: ")
        terminal.settle(1.0)
        moves = [terminal.press(b"j").bytes for _ in range(20)]

    assert min(moves) > 0
    assert statistics.median(moves) < 2_000
