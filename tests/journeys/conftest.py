"""One road a test process: its servers and machines start once and end with the last journey."""

from collections.abc import Iterator

import pytest

from tests.support.road import Road


@pytest.fixture(scope="session")
def road() -> Iterator[Road]:
    with Road(keep=False, seed=1, scenario=None) as stage:
        yield stage.people()
