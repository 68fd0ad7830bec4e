"""Where the desk keeps nothing: folders that others own, may write to or replace, and file systems that other machines serve."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.mounts import file_system_of
from wabiz_tui.desk.process.clocks import Wakefulness
from wabiz_tui.model.errors import Denied
from wabiz_tui.model.paths import make_private

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_private(tmp_path / "above" / "ours")


def mounts_with(tmp_path: Path, place: Path, kind: str) -> Path:
    """A list of mounts as the kernel writes it (proc(5)), with `kind` at `place`."""
    listed = tmp_path / "mountinfo"
    escaped = str(place).replace(" ", "\\040")
    rows = ("21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw", f"36 21 0:30 / {escaped} rw shared:2 master:1 - {kind} server:/ rw")
    listed.write_text("\n".join(rows) + "\n")
    return listed


def test_a_private_folder_is_taken(folder: Path) -> None:
    """Ours, 0700, under folders that are ours or root's, or sticky as /tmp is."""
    check_private_folder(folder)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "afs", "fuse.rclone"])
@pytest.mark.parametrize("at", [".", ".."], ids=["itself", "above"])
def test_another_machines_disk_is_refused(tmp_path: Path, kind: str, at: str) -> None:
    """By the list of mounts, in the folder's own place or above it, blanks in the name and all; one sentence names the way out."""
    folder = make_private(tmp_path / "over there" / "ours")

    with pytest.raises(Denied, match=rf"{kind}.*WABIZ_HOME") as refused:
        check_private_folder(folder, mounts=mounts_with(tmp_path, (folder / at).resolve(), kind))

    assert refused.value.exit_status == 3


def test_a_link_into_another_machines_disk_is_refused(tmp_path: Path) -> None:
    """The folder's own name lies on a local disk; where the link above it leads does not."""
    there = tmp_path / "there"
    make_private(there / "ours")
    (tmp_path / "home").symlink_to(there)

    with pytest.raises(Denied, match="nfs4"):
        check_private_folder(tmp_path / "home" / "ours", mounts=mounts_with(tmp_path, there, "nfs4"))


def test_the_nearest_mount_counts(tmp_path: Path) -> None:
    """A local disk mounted within a network's is local, and no list means that nothing is known."""
    listed = mounts_with(tmp_path, Path("/home"), "nfs4")
    listed.write_text(listed.read_text() + "40 36 8:2 / /home/me rw - xfs /dev/sdb rw\n")

    assert file_system_of(Path("/home/me/wabiz"), listed) == "xfs"
    assert file_system_of(Path("/home/you"), listed) == "nfs4"
    assert file_system_of(Path("/srv"), listed) == "ext4"
    assert not file_system_of(Path("/srv"), tmp_path / "none")


def test_a_link_is_refused(folder: Path) -> None:
    """A link in the folder's place leads wherever somebody wants."""
    (folder.parent / "link").symlink_to(folder)

    with pytest.raises(Denied, match="not a link"):
        check_private_folder(folder.parent / "link")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_write_to_is_refused(folder: Path, mode: int) -> None:
    """Also a sticky one: others could leave a socket there."""
    folder.chmod(mode)

    with pytest.raises(Denied, match="chmod 700"):
        check_private_folder(folder)


@pytest.mark.parametrize(("mode", "is_refused"), [(0o777, True), (0o1777, False), (0o755, False), (0o750, False)])
def test_a_folder_that_others_could_replace_is_refused(folder: Path, mode: int, is_refused: bool) -> None:
    """Whoever may write to the folder above can put their own in the place of ours, unless its sticky bit forbids it."""
    folder.parent.chmod(mode)
    try:
        if is_refused:
            with pytest.raises(Denied, match="could replace"):
                check_private_folder(folder)
        else:
            check_private_folder(folder)
    finally:
        folder.parent.chmod(0o700)


@needs_root
@pytest.mark.parametrize("which", ["itself", "above"])
def test_a_folder_of_somebody_elses_is_refused(folder: Path, which: str) -> None:
    """Its owner may do with it what they like, whatever its mode."""
    foreign = folder if which == "itself" else folder.parent
    os.chown(foreign, 4001, 4001)

    with pytest.raises(Denied, match="another user"):
        check_private_folder(folder)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_folders_are_private_under_any_umask(tmp_path: Path) -> None:
    """The folder and each one above it that was not there."""
    folder = make_private(tmp_path / "one" / "two" / "three")

    assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3
    check_private_folder(folder)


@pytest.mark.parametrize(
    ("slept", "moved", "told"),
    [(0.0, 0.5, ""), (1.0, 1.0, ""), (30.0, 30.0, "suspend"), (0.0, 3600.0, "clock"), (0.0, -3600.0, "clock")],
    ids=["a slow look", "a wink", "suspended", "paused or set forward", "set back"],
)
def test_a_machine_that_slept_or_whose_clock_jumped_is_noticed_once(slept: float, moved: float, told: str) -> None:
    """By how far the clock that counts sleep ran ahead of the one that does not, and the wall's of both."""
    asleep, wall = 100.0, 5000.0
    wakefulness = Wakefulness(lambda: asleep, lambda: wall)
    first = wakefulness.look()
    asleep, wall = asleep + slept, wall + moved

    assert (first, wakefulness.look(), wakefulness.look()) == ("", told, "")


def test_a_machine_that_is_awake_has_not_slept() -> None:
    """The clocks of this machine."""
    assert Wakefulness().look() == ""
