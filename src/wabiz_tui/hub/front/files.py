"""How many files and lines this process may have open."""

import contextlib

_FOR_OTHERS = 512
"""Databases, files under way, lines to Meta."""
_ENOUGH = 65_536


def room_for_lines(wanted: int) -> int:
    """Raise this process's limit of open files as far as the system lets it; how many of `wanted` lines that has room for."""
    try:
        import resource
    except ImportError:  # not to be had on every platform
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, soft - _FOR_OTHERS), 64)
