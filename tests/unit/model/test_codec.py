"""The one codec."""

import subprocess
import sys

_RACE = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from wabiz_tui.model.codec import decode
for turn in range(40):
    inner = msgspec.defstruct(f"Inner{turn}", [(f"i{n}", "dict[str, list[int | None]] | None", None) for n in range(30)])
    kind = msgspec.defstruct(f"Outer{turn}", [("a", inner)] + [(f"f{n}", "list[dict[str, int]] | None", None) for n in range(40)])
    raw = ('{"a": {"i29": {"x": [1]}}, ' + ", ".join(f'"f{n}": [{{"x": 1}}]' for n in range(40)) + "}").encode()
    ready = threading.Barrier(4, timeout=30)
    threads = [threading.Thread(target=lambda: (ready.wait(), decode(raw, kind))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_meet_a_type_for_the_first_time_together_live() -> None:
    """Several threads decode the same new type at once; the process ends as it should."""
    ended = subprocess.run([sys.executable, "-c", _RACE], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
