"""On what kind of file system a path lies, as the kernel's own list says it: nothing there is touched, so a dead server hangs nobody."""

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
OVER_THE_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "virtiofs", "vboxsf", "prl_fs", "davfs"),
        *("ceph", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "glusterfs", "gfs2", "ocfs2", "panfs", "wekafs", "moosefs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.davfs", "fuse.davfs2", "fuse.s3fs", "fuse.rclone", "fuse.curlftpfs"),
        *("fuse.smbnetfs", "fuse.gvfsd-fuse", "fuse.vmhgfs-fuse", "fuse.goofys", "fuse.gcsfuse", "fuse.juicefs", "fuse.mfs", "fuse.afp"),
    }
)
"""Types that another machine serves, or the host of a virtual one: who else reads there is not known, and locks may not hold."""


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of what holds the absolute `path`, `fuse.sshfs` for instance; empty where the system does not tell (proc(5))."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    kinds: dict[str, str] = {}
    for line in lines:
        fields, _, more = line.partition(" - ")
        # A later mount on the same place hides the earlier one.
        if more and len(fields.split(" ")) > 4:
            kinds[_unescaped(fields.split(" ")[4])] = more.split(" ")[0]
    return next((kinds[str(place)] for place in (path, *path.parents) if str(place) in kinds), "")


def network_file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the network file system under `folder`, by its name and by where its links lead; empty for a local one."""
    kind = file_system_of(Path(os.path.normpath(folder)), mounts)
    if kind not in OVER_THE_NETWORK:
        # Following links reads the folders on the way: not before the name itself is known to be local.
        kind = file_system_of(folder.resolve(), mounts)
    return kind if kind in OVER_THE_NETWORK else ""


def _unescaped(place: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)
