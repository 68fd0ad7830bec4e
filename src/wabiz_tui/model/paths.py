"""Where wabiz keeps its files: five folders, all under WABIZ_HOME where that is set, else where the platform wants them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

HOME = "WABIZ_HOME"


class Paths(NamedTuple):
    """The folders, not yet made. `config` holds config.toml, `data` the enrolment, `cache` the encrypted cache, `runtime` the socket."""

    config: Path
    data: Path
    cache: Path
    state: Path
    runtime: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def enrolment_file(self) -> Path:
        """It is there from when this machine is enrolled."""
        return self.data / "enrolment.json"


def paths_under(home: Path) -> Paths:
    """The layout under one folder, as WABIZ_HOME gives it."""
    return Paths(home, home / "data", home / "cache", home / "state", home / "run")


def paths_from_environment(environment: Mapping[str, str] = os.environ) -> Paths:
    home = environment.get(HOME, "")
    if home:
        return paths_under(Path(home).expanduser().absolute())
    import warnings

    from platformdirs import PlatformDirs

    dirs = PlatformDirs("wabiz", appauthor=False)
    with warnings.catch_warnings():
        # sudo, cron and some SSH servers set no XDG_RUNTIME_DIR; the folder in its place is checked like any other before use.
        warnings.simplefilter("ignore")
        return Paths(dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_state_path, dirs.user_runtime_path)


def make_private(folder: Path) -> Path:
    """Make `folder` with mode 0700, and so each absent folder above it, whatever the umask; what exists is left as it is."""
    for place in reversed((folder, *folder.parents)):
        try:
            place.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError:
            # Some systems say of a folder that is there already that it cannot be made: read-only, or not ours.
            if not place.is_dir():
                raise
        else:
            place.chmod(0o700)
    return folder
