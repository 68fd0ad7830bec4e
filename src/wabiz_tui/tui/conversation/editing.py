"""The text in the composer and where the cursor stands in it: readline's moves, without a screen."""

import re
from typing import Final, NamedTuple

from wabiz_tui.tui.wording.spans import cell_width, clusters

# What a terminal would obey and nobody types on purpose; it can only come with a paste.
_PASTED: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ud800-\udfff]")


class VisualRow(NamedTuple):
    """A row of the laid out text: from `begin` to `end`; the text between is what is shown."""

    begin: int
    end: int


class Buffer:
    """Text and cursor. `killed` is what the last kill cut out, for yank."""

    def __init__(self, text: str = "") -> None:
        self.text, self.cursor, self.killed = text, len(text), ""

    def set(self, text: str) -> None:
        self.text, self.cursor = text, len(text)

    def insert(self, text: str) -> None:
        """Insert at the cursor; line breaks become one kind, tabs blanks, other controls are dropped."""
        clean = _PASTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))
        self.text = self.text[: self.cursor] + clean + self.text[self.cursor :]
        self.cursor += len(clean)

    def _cut(self, begin: int, end: int, *, is_kill: bool) -> None:
        if is_kill and begin < end:
            self.killed = self.text[begin:end]
        self.text = self.text[:begin] + self.text[end:]
        self.cursor = begin

    def _before(self) -> int:
        """Where the character before the cursor begins."""
        window = self.text[max(0, self.cursor - 32) : self.cursor]
        return self.cursor - len(list(clusters(window))[-1]) if window else self.cursor

    def _after(self) -> int:
        for cluster in clusters(self.text[self.cursor : self.cursor + 32]):
            return self.cursor + len(cluster)
        return self.cursor

    def _word_before(self) -> int:
        return len(self.text[: self.cursor].rstrip()) - len(re.split(r"\s", self.text[: self.cursor].rstrip())[-1])

    def _word_after(self) -> int:
        matched = re.compile(r"\s*\S*").match(self.text, self.cursor)
        return matched.end() if matched else self.cursor

    def _line(self) -> tuple[int, int]:
        begin = self.text.rfind("\n", 0, self.cursor) + 1
        end = self.text.find("\n", self.cursor)
        return begin, len(self.text) if end < 0 else end

    def edit(self, verb: str) -> bool:
        """Do one of the moves or cuts by its name; False when there is none of that name."""
        begin, end = self._line()
        match verb:
            case "left":
                self.cursor = self._before()
            case "right":
                self.cursor = self._after()
            case "word_left":
                self.cursor = self._word_before()
            case "word_right":
                self.cursor = self._word_after()
            case "line_begin":
                self.cursor = begin
            case "line_end":
                self.cursor = end
            case "delete_left":
                self._cut(self._before(), self.cursor, is_kill=False)
            case "delete_right":
                self._cut(self.cursor, self._after(), is_kill=False)
            case "kill_word":
                self._cut(self._word_before(), self.cursor, is_kill=True)
            case "kill_begin":
                self._cut(begin, self.cursor, is_kill=True)
            case "kill_end":
                self._cut(self.cursor, end if end > self.cursor else min(len(self.text), end + 1), is_kill=True)
            case "yank":
                self.insert(self.killed)
            case _:
                return False
        return True

    def rows(self, width: int) -> list[VisualRow]:
        """The text in rows of at most `width` cells, broken at blanks where there are any."""
        rows: list[VisualRow] = []
        at = 0
        for paragraph in self.text.split("\n"):
            rows.extend(VisualRow(at + begin, at + end) for begin, end in _broken(paragraph, max(2, width)))
            at += len(paragraph) + 1
        return rows

    def place(self, rows: list[VisualRow]) -> tuple[int, int]:
        """Row and cell of the cursor."""
        number = max((at for at, row in enumerate(rows) if row.begin <= self.cursor), default=0)
        return number, cell_width(self.text[rows[number].begin : self.cursor])

    def move_row(self, step: int, width: int) -> bool:
        """The cursor a row up or down in the same cell; False when there is no such row."""
        rows = self.rows(width)
        number, cell = self.place(rows)
        if not 0 <= number + step < len(rows):
            return False
        row = rows[number + step]
        at = row.begin
        for cluster in clusters(self.text[row.begin : row.end]):
            if cell_width(self.text[row.begin : at]) >= cell:
                break
            at += len(cluster)
        self.cursor = at
        return True


def _broken(paragraph: str, width: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    begin = at = used = 0
    blank = -1
    for cluster in clusters(paragraph):
        taken = cell_width(cluster)
        # Twice where the cut at a blank leaves too much behind it.
        while used + taken > width and at > begin:
            cut = blank + 1 if blank >= begin else at
            rows.append((begin, cut))
            used = cell_width(paragraph[cut:at])
            begin = cut
        if cluster == " ":
            blank = at
        at += len(cluster)
        used += taken
    rows.append((begin, len(paragraph)))
    return rows
