"""What holds for every test."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, so no example has a deadline. Where CI is set, Hypothesis's own profile
# is in force: no deadline either, and the same examples each time, so that a run says something about the change alone.
if not os.environ.get("CI"):
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def schema_replayed_once() -> Generator[None]:
    # Imported here: most workers' first test is of something that needs no archive.
    from tests.support.schema_replay import schema_replayed

    with schema_replayed():
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passphrases() -> Generator[None]:
    """What makes a passphrase dear to guess makes each desk of a test wait for most of a second. Processes of their own pay in full."""
    from wabiz_tui.desk.keys import passphrase_file

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passphrase_file, "USUAL", passphrase_file.Cost(memory_kib=64, iterations=1, lanes=1))
        yield
