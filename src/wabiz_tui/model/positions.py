"""Where each key of a TOML document stands: the line numbers tomllib keeps to itself.

Reads text that tomllib has accepted, so it only finds its way and judges nothing.
"""

import tomllib

Path = tuple[str | int, ...]
"""The keys from the top to a value; the tables of an array of tables, and the elements of an array, are numbered from 0."""


def find_lines(text: str) -> dict[Path, int]:
    """The line (from 1) on which each key and each table of `text` is first written. `text` must be valid TOML."""
    return _Scanner(text).scan()


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of `path`, or of the nearest table around it that is written."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._counted, self._line = 0, 1
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(" \t\n"):
            if self._take("[["):
                table = self._begin_array_table()
            elif self._take("["):
                table = self._resolve(self._keys())
                self._note(table)
            else:
                self._pair(table)
            self._skip_line()
        return self._lines

    def _begin_array_table(self) -> Path:
        keys = self._keys()
        place = (*self._resolve(keys[:-1]), keys[-1])
        number = self._tables.get(place, 0)
        self._tables[place] = number + 1
        self._note((*place, number))
        return (*place, number)

    def _resolve(self, keys: list[str]) -> Path:
        """The path a table header means: a name of an array of tables stands for its last table."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path: Path = (*table, *self._keys())
        self._note(path)
        self._take("=")
        self._value(path)

    def _keys(self) -> list[str]:
        """A dotted key, up to what ends it (`=` or `]`, which is left)."""
        keys = [self._key()]
        while self._skip(" \t") and self._text[self._at] == ".":
            self._at += 1
            self._skip(" \t")
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip(" \t")
        begin = self._at
        if self._text[begin] in "\"'":
            self._string()
            return str(tomllib.loads(f"key = {self._text[begin : self._at]}")["key"])
        while self._text[self._at].isalnum() or self._text[self._at] in "-_":
            self._at += 1
        return self._text[begin : self._at]

    def _value(self, path: Path) -> None:
        self._skip(" \t")
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._skip(" \t\n,") and self._text[self._at] != "]":
            self._note((*path, number))
            self._value((*path, number))
            number += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip(" \t\n,") and self._text[self._at] != "}":
            self._pair(path)
        self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(mark)
        while not self._text.startswith(mark, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(mark)
        # A multi-line string may end with up to two quotes of its own before the closing three.
        while len(mark) == 3 and self._text.startswith(quote, self._at):
            self._at += 1

    def _skip(self, blanks: str) -> bool:
        """Go past blanks, and past comments where line ends are blanks; whether anything is left."""
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "#" and "\n" in blanks:
                self._skip_line()
            elif character in blanks:
                self._at += 1
            else:
                return True
        return False

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _take(self, mark: str) -> bool:
        self._skip(" \t")
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _note(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], self._line)
