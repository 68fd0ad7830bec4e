"""The two engines every test here runs on: an SQLCipher file and a PostgreSQL database, empty and migrated."""

import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.hub_archive import FILE_KEY, HandClock, open_archive, open_at
from tests.support.postgresql import Cluster, cluster
from wabiz_tui.hub.archive.engine.addresses import place_at
from wabiz_tui.hub.archive.engine.places import Place
from wabiz_tui.hub.archive.store import Archive

ENGINES = ("sqlcipher", "postgresql")


class Ground(NamedTuple):
    """Where one test's archive lies. Each `place` is as another process sees it."""

    engine: str
    address: str
    folder: Path
    clock: HandClock
    opened: list[Archive]

    @property
    def hub_address(self) -> str:
        """Where a whole hub, with keys and an account of its own, may set up its archive."""
        return str(self.folder / "hub.db") if self.engine == "sqlcipher" else self.address

    def place(self) -> Place:
        return place_at(self.address, FILE_KEY, media=self.folder / "media")

    def open(self, *, seed: int = 1) -> Archive:
        """One more hub over the same archive; closed when the test ends."""
        archive = open_at(self.place(), clock=self.clock, seed=seed)
        self.opened.append(archive)
        return archive


@pytest.fixture(scope="session")
def server() -> Generator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that holds an empty archive: copying it is quicker than making one."""
    name = server.database()
    folder = tmp_path_factory.mktemp("template")
    open_at(place_at(server.url(name), FILE_KEY, media=folder)).close()
    return name


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of an empty archive, for the same reason."""
    folder = tmp_path_factory.mktemp("files")
    open_archive(folder).close()
    return folder


@pytest.fixture
def new_ground(request: pytest.FixtureRequest, tmp_path: Path, files: Path) -> Generator[Callable[[str], Ground]]:
    """Makes grounds, each apart from the others; databases go with their server."""
    made: list[Ground] = []

    def make(engine: str) -> Ground:
        folder = tmp_path / f"ground{len(made)}"
        shutil.copytree(files, folder)
        address = str(folder / "archive.db")
        if engine == "postgresql":
            server: Cluster = request.getfixturevalue("server")
            address = server.url(server.database(template=request.getfixturevalue("template")))
        made.append(Ground(engine, address, folder, HandClock(), []))
        return made[-1]

    yield make
    for ground in made:
        for archive in ground.opened:
            archive.close()


@pytest.fixture(params=ENGINES)
def ground(request: pytest.FixtureRequest, new_ground: Callable[[str], Ground]) -> Ground:
    return new_ground(request.param)
