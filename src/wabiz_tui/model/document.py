"""Strict TOML: a document becomes a frozen struct, or is refused with file, line, key and the nearest valid name.

The fields of the struct are the valid keys, its defaults the values of keys that are not written. All problems of a
document are told at once.
"""

import re
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from wabiz_tui.model.errors import DocumentError
from wabiz_tui.model.positions import Path, find_lines, line_of

T = TypeVar("T", bound=msgspec.Struct)

Reader = Callable[[Any], Any]
"""Makes a value of a TOML value, or raises ValueError with a sentence in plain words."""

_MAX_DOCUMENT = 256 * 1024
_MOST_DOTS = 64
"""Of one line, comments aside. tomllib keeps every beginning of a dotted key: one of a hundred thousand parts takes all memory there
is. A dotted key stands on one line."""
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
}


class Problem(msgspec.Struct, frozen=True):
    """Something wrong at `path`: a sentence, and a valid name that is near to what was written."""

    path: Path
    sentence: str
    nearest: str | None = None


class Choice(ValueError):
    """A value that is none of the valid ones; raised by readers so that the nearest can be told."""

    def __init__(self, sentence: str, nearest: str | None) -> None:
        super().__init__(sentence)
        self.nearest = nearest


class Written:
    """Which keys a document wrote itself, as against those left to their defaults."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines

    def __contains__(self, path: Path) -> bool:
        return path in self._lines


def read_document(
    text: str,
    kind: type[T],
    *,
    file: str,
    readers: Mapping[Any, Reader] | None = None,
    complete: Callable[[T, Written], T] | None = None,
    check: Callable[[T, Written], Iterable[Problem]] | None = None,
) -> T:
    """`text` as a `kind`. Raises DocumentError, the first problem first, the others in its `others`.

    `readers` make values of types TOML does not have. `complete` may fill in what depends on other keys; `check` finds what
    is wrong between keys, and runs only on a document whose single values are right.
    """
    tree = _parse(text, file)
    lines = find_lines(text.removeprefix("\ufeff"))
    problems: list[Problem] = []
    value = _Walk(readers or {}, problems).struct(tree, kind, ())
    if not problems and value is not None:
        written = Written(lines)
        document = cast("T", value) if complete is None else complete(cast("T", value), written)
        problems.extend(() if check is None else check(document, written))
        if not problems:
            return document
    raise _error(problems, file, lines)


def point_at(text: str, problem: Problem, *, file: str) -> DocumentError:
    """The error for a problem in valid TOML that was found later, by whoever uses the value."""
    return _error([problem], file, find_lines(text.removeprefix("\ufeff")))


def load_text(path: FilePath) -> str:
    """The text of a document's file. Raises DocumentError where it cannot be read, is too long or is not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_DOCUMENT + 1)
    except OSError as error:
        raise DocumentError(f"The file cannot be read: {error.strerror or 'unknown reason'}.", file=str(path)) from error
    if len(raw) > _MAX_DOCUMENT:
        raise DocumentError("The document is longer than 256 KiB.", file=str(path))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DocumentError("The file is not UTF-8 text.", file=str(path), line=line) from error


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The valid name that looks most like `name`, if one does."""
    import difflib

    lower = {valid.lower(): valid for valid in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return lower[near[0]] if near else None


def dotted(path: Path) -> str:
    """A path as people write it: `archive.rule[2].label`, the tables of an array counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else _quoted(part[:80])
            text += f".{name}" if text else name
    return text


def _quoted(key: str) -> str:
    # A key may hold anything, an escape sequence for the reader's terminal too.
    return '"' + "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in key) + '"'


def _is_comment(line: str) -> bool:
    """Whether the whole line is one, wherever it stands: what looks so in a text of several lines may end that text, and go on."""
    return line.lstrip(" \t").startswith("#") and '"""' not in line and "'''" not in line


def _parse(text: str, file: str) -> dict[str, Any]:
    if len(text) > _MAX_DOCUMENT:
        raise DocumentError("The document is longer than 256 KiB.", file=file)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS and not _is_comment(line):
            raise DocumentError(f"The line has more than {_MOST_DOTS} dots; break it into several.", file=file, line=number)
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        sentence, _, place = str(error).partition(" (at ")
        matched = re.match(r"line (\d+)", place)
        line = int(matched[1]) if matched else text.count("\n") + 1
        raise DocumentError(f"This is not valid TOML: {sentence[:1].lower()}{sentence[1:]}.", file=file, line=line) from error
    except (RecursionError, ValueError) as error:
        # tomllib lets through what its helpers raise for absurd dates and numbers.
        raise DocumentError("This is not valid TOML: a value is nested too deeply or out of range.", file=file) from error


def _error(problems: Sequence[Problem], file: str, lines: dict[Path, int]) -> DocumentError:
    found = [(line_of(problem.path, lines), problem) for problem in problems]
    found.sort(key=lambda entry: entry[0] or 0)
    errors = [
        DocumentError(problem.sentence, file=file, line=line, key=dotted(problem.path) or None, nearest=problem.nearest)
        for line, problem in found
    ]
    return errors[0].with_others(tuple(errors[1:]))


class _Walk:
    """One way through a document; `problems` grows, and what is wrong counts as absent."""

    def __init__(self, readers: Mapping[Any, Reader], problems: list[Problem]) -> None:
        self._readers = readers
        self._problems = problems

    def struct(self, tree: dict[str, Any], kind: type[msgspec.Struct], path: Path) -> msgspec.Struct | None:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in tree:
            if key not in fields:
                self._problems.append(Problem((*path, key), "This key is not known.", nearest_name(key, fields)))
        values: dict[str, Any] = {}
        before = len(self._problems)
        for name, field in fields.items():
            if name in tree:
                values[field.name] = self.value(tree[name], field.type, (*path, name))
            elif field.required:
                self._problems.append(Problem(path, f"The key '{name}' is missing."))
        return kind(**values) if len(self._problems) == before else None

    def value(self, found: Any, wanted: Any, path: Path) -> Any:
        if wanted in self._readers:
            return self._read(self._readers[wanted], found, path)
        origin, arguments = get_origin(wanted), get_args(wanted)
        if origin in (Union, types.UnionType):
            return self.value(found, next(kind for kind in arguments if kind is not type(None)), path)
        if origin is Literal:
            return self._choice(found, [str(choice) for choice in arguments], path)
        if origin is tuple:
            return self._list(found, arguments[0], path)
        if origin is dict:
            return self._table(found, arguments[1], path)
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
            return self.struct(cast("dict[str, Any]", found), wanted, path) if self._is(found, dict, "a table", path) else None
        kinds = cast("tuple[type, ...]", (int, float) if wanted is float else (wanted,))
        # In Python true is a whole number; in a document it is not.
        if not isinstance(found, kinds) or (isinstance(found, bool) and wanted is not bool):
            return self._wrong(found, _WORDS[wanted], path)
        return found

    def _list(self, found: Any, wanted: Any, path: Path) -> tuple[Any, ...] | None:
        if not self._is(found, list, "a list", path):
            return None
        return tuple(self.value(element, wanted, (*path, number)) for number, element in enumerate(found))

    def _table(self, found: Any, wanted: Any, path: Path) -> dict[str, Any] | None:
        if not self._is(found, dict, "a table", path):
            return None
        return {key: self.value(element, wanted, (*path, key)) for key, element in found.items()}

    def _choice(self, found: Any, choices: list[str], path: Path) -> Any:
        if found in choices:
            return found
        nearest = nearest_name(found, choices) if isinstance(found, str) else None
        self._problems.append(Problem(path, f"This must be {_alternatives(choices)}.", nearest))
        return None

    def _read(self, reader: Reader, found: Any, path: Path) -> Any:
        try:
            return reader(found)
        except Choice as error:
            self._problems.append(Problem(path, str(error), error.nearest))
        except ValueError as error:
            self._problems.append(Problem(path, str(error)))
        return None

    def _is(self, found: Any, kind: type, words: str, path: Path) -> bool:
        if isinstance(found, kind):
            return True
        self._wrong(found, words, path)
        return False

    def _wrong(self, found: Any, words: str, path: Path) -> None:
        self._problems.append(Problem(path, f"This must be {words}, not {describe(found)}."))


def describe(found: object) -> str:
    """What kind of TOML value `found` is, in plain words, without the value itself."""
    match found:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a point"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _alternatives(choices: list[str]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
