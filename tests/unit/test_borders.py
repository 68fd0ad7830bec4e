"""The rooms' borders: as contracts on the source, and proved again on what is really imported at run time."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {path.name for path in (ROOT / "src" / "wabiz_tui").iterdir() if (path / "__init__.py").exists()}

# What the import of every module of a room may bring of ours. Indirect imports count here, unlike in the static contracts:
# it is the process that must not hold the other half.
REACH: dict[str, set[str]] = {
    "model": {"model"},
    "graph": {"graph", "model"},
    "proof": {"proof", "model"},
    "policy": {"policy", "model"},
    "cloud": {"cloud", "graph", "model"},
    "tui": {"tui", "policy", "model"},
    "desk": {"desk", "cloud", "graph", "policy", "proof", "model"},
    "hub": {"hub", "cloud", "graph", "policy", "proof", "model"},
    "simulator": {"simulator", "cloud", "graph", "model"},
}
FOREIGN: dict[str, set[str]] = {
    "model": {"textual", "rich", "httpx", "sqlcipher3", "starlette", "sqlalchemy", "cryptography", "keyring"},
    "graph": {"textual", "httpx", "sqlcipher3", "starlette", "sqlalchemy"},
    "proof": {"textual", "httpx", "sqlcipher3", "starlette", "sqlalchemy"},
    "policy": {"textual", "httpx", "sqlcipher3", "starlette", "sqlalchemy"},
    "cloud": {"textual", "sqlcipher3", "starlette", "sqlalchemy"},
    "tui": {"httpx", "sqlcipher3", "starlette", "sqlalchemy", "keyring", "cryptography"},
    "desk": {"textual", "starlette", "uvicorn", "sqlalchemy", "alembic"},
    "hub": {"textual", "keyring"},
    "simulator": {"textual", "sqlcipher3", "sqlalchemy", "keyring"},
}
_PROBE = """
import importlib, pkgutil, sys
package = importlib.import_module("wabiz_tui." + sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__") and ".schema" not in module.name and ".migrations.versions" not in module.name:
        importlib.import_module(module.name)
print("\\n".join(sorted(sys.modules)))
"""


def _imported(code: str, *arguments: str) -> set[str]:
    finished = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    return set(finished.stdout.split())


def test_every_room_is_under_contract() -> None:
    """A new folder of the package cannot come without a border."""
    assert {*REACH, "cli"} == ROOMS


def test_the_contracts_on_the_source_hold() -> None:
    """import-linter finds no import that crosses a border."""
    finished = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], capture_output=True, text=True, check=False, cwd=ROOT, timeout=100
    )

    assert finished.returncode == 0, finished.stdout[-3000:]


@pytest.mark.parametrize("room", sorted(REACH))
def test_a_room_brings_only_what_it_may(room: str) -> None:
    """Importing every module of a room loads no forbidden room and no forbidden library, directly or indirectly."""
    modules = _imported(_PROBE, room)

    ours = {name.split(".")[1] for name in modules if name.startswith("wabiz_tui.")}
    assert ours <= REACH[room]
    assert not {name.split(".")[0] for name in modules} & FOREIGN[room]


def test_the_way_to_the_inbox_is_light() -> None:
    """Nothing heavy is imported between the command line and the desk's socket: no HTTP, no SQL, no key store, no Textual, no click."""
    modules = _imported(
        "import sys, wabiz_tui.cli.main, wabiz_tui.cli.opening, wabiz_tui.cli.session\n"
        "import wabiz_tui.desk.process.client, wabiz_tui.desk.process.launch, wabiz_tui.tui.first_paint\n"
        'print("\\n".join(sys.modules))'
    )

    heavy = {
        "textual",
        "rich",
        "httpx",
        "sqlcipher3",
        "keyring",
        "cryptography",
        "starlette",
        "sqlalchemy",
        "phonenumbers",
        "babel",
        "click",
    }
    assert not heavy & {name.split(".")[0] for name in modules}


def test_the_way_to_the_first_picture_is_lighter_still() -> None:
    """Of what stands before the inbox is painted neither asyncio nor what comes with it is a part, nor what msgspec can do without."""
    modules = _imported(
        "import sys\n"
        "from wabiz_tui.cli.main import _import_msgspec_alone\n"
        "_import_msgspec_alone()\n"
        "import wabiz_tui.cli.streams, wabiz_tui.cli.opening, wabiz_tui.cli.resuming, wabiz_tui.desk.process.hardening\n"
        "import wabiz_tui.model.config, wabiz_tui.desk.process.glance, wabiz_tui.tui.first_paint, wabiz_tui.tui.actions\n"
        'print("\\n".join(sys.modules))'
    )

    assert not {"asyncio", "ssl", "subprocess", "inspect", "typing_extensions", "logging", "hashlib"} & set(modules)


def test_the_direct_doors_are_few() -> None:
    """httpx, sqlcipher3 and textual are imported by name only in the files that are their doors."""
    doors = {
        "httpx": {"cloud/transport.py", "cloud/wire.py", "cloud/lanes.py", "desk/link/line.py"},
        "sqlcipher3": {"desk/cache/", "hub/archive/"},
        "textual": {"tui/"},
        "sqlalchemy": {"hub/archive/"},
    }
    strangers = []
    for path in sorted((ROOT / "src" / "wabiz_tui").rglob("*.py")):
        place = path.relative_to(ROOT / "src" / "wabiz_tui").as_posix()
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[:1] not in (["import"], ["from"]) or len(words) < 2:
                continue
            library = words[1].split(".")[0]
            if library in doors and not place.startswith(tuple(doors[library])):
                strangers.append(f"{place}: {line.strip()}")

    assert strangers == []
