"""Small private files and the end of large ones: written whole or not at all, and destroyed before they are unlinked."""

import errno
import os
import shutil
import stat
from pathlib import Path

from wabiz_tui.desk.mounts import MOUNTS, network_file_system
from wabiz_tui.model.errors import Denied, StoreFull, TooLarge

_CHUNK = 1 << 20
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def read_small(path: Path, limit: int) -> bytes:
    """The bytes of `path`. Raises TooLarge beyond `limit`, FileNotFoundError when it is absent."""
    with path.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise TooLarge(f"{path.name} is larger than any that wabiz writes; move it away.")
    return raw


def what_stands_at(path: Path) -> str:
    """What is in the place of a file, in words: to open a pipe would wait for ever, and a link leads to what is somebody else's. Empty
    where there is a file, or nothing."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return ""
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"


def write_private(path: Path, raw: bytes) -> None:
    """Replace `path` by a file of mode 0600 that is on the disk when this returns; a crash leaves the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise full(path, error) from error


def append_private(path: Path, raw: bytes) -> None:
    """Add `raw` at the end of a file of mode 0600; on the disk when this returns."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        raise full(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a removal in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def destroy(path: Path) -> None:
    """Overwrite with random bytes, flush, unlink. On copy-on-write media the bytes may survive; what makes them useless is
    the destruction of their key, this only adds to it. A folder that stands in the place of a file goes with all that is in it."""
    if not os.path.lexists(path):
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        sync_folder(path.parent)
        return
    if path.is_file() and not path.is_symlink():
        try:
            _overwrite(path)
        except OSError as error:
            # A full or read-only disk must not keep the file from going.
            if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EDQUOT, errno.EPERM, errno.EFBIG, errno.EIO):
                raise
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(os.urandom(min(left, _CHUNK)))
        file.flush()
        os.fsync(file.fileno())


def check_private_folder(folder: Path, *, mounts: Path = MOUNTS) -> None:
    """Raises Denied unless `folder` is a real folder of ours on this machine's own disk that nobody else may write to or replace."""
    kind = network_file_system(folder, mounts)
    if kind:
        raise Denied(
            f"{folder} lies on {kind}, which another machine serves: others may read it and locks may not hold; "
            "set WABIZ_HOME to a folder on this machine's own disk."
        )
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise Denied(f"{folder} must be a folder, not a link or a file.")
    if found.st_uid != os.geteuid():
        raise Denied(f"{folder} belongs to another user; wabiz keeps nothing there.")
    if found.st_mode & _OTHERS_WRITE:
        raise Denied(f"{folder} can be written by others; run: chmod 700 '{folder}'")
    for above in dict.fromkeys((*folder.absolute().parents, *folder.resolve().parents)):
        _check_above(folder, above)


def _check_above(folder: Path, above: Path) -> None:
    """Whoever may write to `above` can put a folder of their own in our folder's place, unless its sticky bit is set."""
    found = above.lstat()
    if found.st_uid not in _trusted_owners():
        raise Denied(f"{above} belongs to another user, who could replace {folder}; set WABIZ_HOME to a folder of your own.")
    if stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX:
        return
    if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid)):
        raise Denied(f"{above} can be written by others, who could replace {folder}; run: chmod go-w '{above}'")


def _trusted_owners() -> set[int]:
    """Root and ourselves; in a user namespace also the id that stands for all users outside it (user_namespaces(7))."""
    owners = {0, os.geteuid()}
    try:
        is_whole = Path("/proc/self/uid_map").read_text(encoding="utf-8").split() == ["0", "0", "4294967295"]
        if not is_whole:
            owners.add(int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        # A kernel without user namespaces has nobody outside.
        pass
    return owners


def _is_own_group(group: int) -> bool:
    """Whether it is the group that many systems make for each user alone, and give write permission by default."""
    import grp
    import pwd

    try:
        name, members = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return members.gr_name == name and set(members.gr_mem) <= {name}


def full(path: Path, error: OSError) -> StoreFull:
    return StoreFull(
        f"{path.name} cannot be written ({os.strerror(error.errno or 0)}): free some disk space, or check its folder.", path=path
    )
