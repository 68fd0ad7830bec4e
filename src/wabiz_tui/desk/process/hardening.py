"""What a process that holds keys asks of the kernel: no core dump, no reading by its neighbours, private files."""

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Core limit 0, not dumpable (so neither ptrace nor /proc/PID/mem for the same user), umask 077. Root still reads everything."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
