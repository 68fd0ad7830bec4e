"""Canned responses: which variables their texts may hold, and how they are filled.

`{{contact.name}}` is replaced by the name; `{{contact.name | default: "there"}}` by `there` where nothing is known (the syntax of
Liquid's `default`, as shared inboxes use it). What is filled in is never looked at again, so a name can hold braces.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.naming import name_key, spelled

LONGEST_TEXT = 4096
LONGEST_SHORTCUT = 32
LONGEST_FIELD_NAME = 64
VARIABLES = ("agent.name", "business.name", "contact.name", "conversation.id")
FIELDS = "contact.fields."
"""What stands before the name of a contact's field."""

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(r"""\s*([^|"'{}]+?)\s*(?:\|\s*default\s*:\s*(?:"([^"]*)"|'([^']*)')\s*)?""")
_SHORTCUT = re.compile(r"[\w.-]+")


class Variable(NamedTuple):
    """One place to fill; `fallback` is None where the text gives none."""

    name: str
    fallback: str | None


class Filled(NamedTuple):
    """`missing` are the variables for which there was neither a value nor a fallback, in their order: with any, `text` must not be
    sent."""

    text: str
    missing: tuple[str, ...]


def check_shortcut(shortcut: str) -> str:
    """The shortcut without the slash it may be written with. Raises BadInput."""
    name = shortcut.strip().removeprefix("/")
    if not 1 <= len(name) <= LONGEST_SHORTCUT or not _SHORTCUT.fullmatch(name):
        raise BadInput(f"A shortcut is 1 to {LONGEST_SHORTCUT} letters, digits, dots, hyphens and underscores.")
    return name


def check_text(text: str) -> str:
    """The text, if it can be filled. Raises BadInput, with the nearest name for a variable that is none."""
    if not text.strip() or len(text) > LONGEST_TEXT or "\0" in text:
        raise BadInput(f"A canned response is 1 to {LONGEST_TEXT} characters.")
    for variable in variables_in(text):
        _check_name(variable.name)
    return text


def variables_in(text: str) -> Iterator[Variable]:
    """The places to fill, in their order. Raises BadInput for braces that hold no variable or do not close."""
    for found in _BRACES.finditer(text):
        yield _read(found)
    if "{{" in _BRACES.sub("", text):
        raise BadInput("Two opening braces begin a variable, and these do not close; write {{contact.name}}.", code="bad_variable")


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """`text` with its variables replaced; `values` are by name, an empty one counts as none. Names of fields are compared without
    regard to case. Raises BadInput for a text that check_text refuses."""
    known = {name_key(name): value for name, value in values.items() if value.strip()}
    missing: dict[str, None] = {}

    def value_of(found: re.Match[str]) -> str:
        name, fallback = _read(found)
        value = known.get(name_key(name), fallback)
        if value is None:
            missing[name] = None
        return found[0] if value is None else value

    check_text(text)
    return Filled(_BRACES.sub(value_of, text), tuple(missing))


def _read(found: re.Match[str]) -> Variable:
    inside = _INSIDE.fullmatch(found[1])
    if inside is None:
        raise BadInput('A variable is written {{contact.name}} or {{contact.name | default: "there"}}.', code="bad_variable")
    return Variable(inside[1], inside[2] if inside[2] is not None else inside[3])


def _check_name(name: str) -> None:
    if name in VARIABLES:
        return
    if name.startswith(FIELDS):
        spelled(name.removeprefix(FIELDS), limit=LONGEST_FIELD_NAME, what="field's name")
        return
    near = nearest_name(name, (*VARIABLES, f"{FIELDS}NAME"))
    hint = f" Did you mean {{{{{near}}}}}?" if near else f" There are {', '.join(VARIABLES)} and {FIELDS}NAME."
    raise BadInput(f"There is no such variable.{hint}", code="unknown_variable")
