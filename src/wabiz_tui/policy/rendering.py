"""A policy as a TOML document again: every key written, for policies that no person wrote as they are."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from wabiz_tui.policy.document import Policy, Span
from wabiz_tui.policy.durations import Duration, format_timedelta


def render_policy(policy: Policy, *, comment: str = "") -> str:
    """The document of `policy`, headed by `comment`; parsing it gives `policy` again."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for field in msgspec.structs.fields(Policy):
        value = getattr(policy, field.name)
        lines += ["", *_section(field.name, value)] if isinstance(value, msgspec.Struct) else _pair(field.name, value)
    return "\n".join(lines).lstrip("\n") + "\n"


def _section(name: str, section: msgspec.Struct) -> Iterator[str]:
    yield f"[{name}]"
    tables: list[msgspec.Struct] = []
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if field.name == "rule":
            tables += value
        else:
            yield from _pair(field.name, value)
    for table in tables:
        yield ""
        yield f"[[{name}.rule]]"
        for field in msgspec.structs.fields(table):
            yield from _pair(field.name, getattr(table, field.name))


def _pair(key: str, value: Any) -> Iterator[str]:
    # What is None is not written: that is how a document says it.
    if value is not None:
        yield f"{key} = {_value(value)}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case timedelta():
            return f'"{format_timedelta(value)}"'
        case Duration() | Span():
            return f'"{value}"'
        case tuple():
            parts: list[str] = [_value(part) for part in value]  # pyright: ignore[reportUnknownVariableType] spans or roles
            return f"[{', '.join(parts)}]"
        case _:
            # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
