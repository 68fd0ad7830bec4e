"""What keeps a client's call from waiting for the desk's own work, which shares one interpreter with it."""

import gc
import sys


def be_steady() -> None:
    """To be called once, when what lives as long as the process is loaded.

    A rebuild or a big page works in a thread beside the loop, and a thread that wants the interpreter waits 5 ms for it by default, each
    time. A full collection of garbage looks at all that was loaded, some tens of milliseconds in which nothing else is done.
    """
    sys.setswitchinterval(0.0001)
    gc.freeze()
