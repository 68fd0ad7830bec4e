"""Graph's `fields=`: which fields of an object are shown, with their arguments and what is inside them."""

import re
from collections.abc import Iterable

import msgspec

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.refusals import Refusal, no_field

_MAX = 4000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARGUMENT = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)\(")


class Field(msgspec.Struct, frozen=True):
    """`name.argument(value){inner,…}`; the arguments' values are as they were written, without the brackets."""

    name: str
    arguments: dict[str, str] = {}
    inner: tuple["Field", ...] = ()


def parse_fields(text: str) -> tuple[Field, ...]:
    """Raises Refusal 2500 (a syntax error, as Graph calls it) for what cannot be read; an empty text is no fields."""
    if len(text) > _MAX:
        raise Refusal(2500, f"Syntax error: fields is longer than {_MAX} characters")
    text = "".join(text.split())
    if not text:
        return ()
    fields, end = _fields(text, 0, 0)
    if end != len(text):
        raise _syntax(text, end)
    return fields


def _fields(text: str, start: int, depth: int) -> tuple[tuple[Field, ...], int]:
    if depth > 5:
        raise _syntax(text, start)
    found: list[Field] = []
    at = start
    while True:
        name = _NAME.match(text, at)
        if name is None:
            raise _syntax(text, at)
        arguments, at = _arguments(text, name.end())
        inner: tuple[Field, ...] = ()
        if text[at : at + 1] == "{":
            inner, at = _fields(text, at + 1, depth + 1)
            if text[at : at + 1] != "}":
                raise _syntax(text, at)
            at += 1
        found.append(Field(name.group(), arguments, inner))
        if text[at : at + 1] != ",":
            return tuple(found), at
        at += 1


def _arguments(text: str, at: int) -> tuple[dict[str, str], int]:
    arguments: dict[str, str] = {}
    while (opened := _ARGUMENT.match(text, at)) is not None:
        end = opened.end()
        depth = 1
        while depth:
            if end >= len(text):
                raise _syntax(text, end)
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        arguments[opened.group(1)] = text[opened.end() : end - 1]
        at = end
    return arguments, at


def _syntax(text: str, at: int) -> Refusal:
    shown = text[at : at + 1] or "end of string"
    return Refusal(2500, f'Syntax error "Expected end of string instead of "{shown}"." at character {at}: {text[:200]}')


def shown(whole: Json, fields: Iterable[Field], default: Iterable[str], node: str) -> Json:
    """Those of `whole` that are asked for, and always the id. Raises Refusal 100 for a field the node does not have.

    A value of None is a field that exists and has no value here: it is left out, as Graph does.
    """
    asked = tuple(fields)
    names = [field.name for field in asked] if asked else list(default)
    for name in names:
        if name not in whole:
            raise no_field(name, node)
    kept = {name: whole[name] for name in names if whole[name] is not None}
    return {**kept, "id": whole["id"]} if whole.get("id") is not None else kept
