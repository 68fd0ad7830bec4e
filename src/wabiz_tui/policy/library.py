"""The policies that ship with wabiz, by name."""

from importlib import resources

from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import UsageError

_FOLDER = "shipped"


def shipped_names() -> list[str]:
    """The names of the shipped policies, in alphabetical order."""
    folder = resources.files("wabiz_tui.policy") / _FOLDER
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def shipped_text(name: str) -> str:
    """The TOML document of a shipped policy, comments and sources in it. Raises UsageError for a name that is none."""
    names = shipped_names()
    if name not in names:
        near = nearest_name(name, names)
        raise UsageError(
            f"There is no shipped policy of that name; there are {', '.join(names)}." + (f" Did you mean '{near}'?" if near else "")
        )
    return (resources.files("wabiz_tui.policy") / _FOLDER / f"{name}.toml").read_text(encoding="utf-8")
