"""Columns stay straight on every terminal: after text whose width terminals disagree about, the cursor is put where it belongs.

Emoji joined by ZWJ, flags, Indic and stacked marks take two cells in one terminal and four in the next. wabiz counts by one
table (wording/spans.py); here, on the way out, the cells are cleared before such text and the column is set after it.
"""

import re
from functools import cache

from wabiz_tui.tui.wording.spans import ALONE, UNDISPUTED, cell_width


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        r"\x1b\[(?P<row>\d*)(?:;(?P<column>\d*))?H"
        r"|(?P<sequence>\x1b(?:\[[0-9;:?<=>!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\^_=>78]))"
        r"|(?P<line>[\r\n]+)"
        rf"|(?P<disputed>(?:[{ALONE}]?[^{ALONE}\x00-\x1f\x7f-\x9f]+)+)"
        rf"|(?P<plain>[{ALONE}]+?(?=[{ALONE}]?[^{ALONE}]|\Z)|[^\x1b\r\n])",
    )


def aligned(output: str) -> str:
    """`output` for a terminal, with the column set after every run of disputed width. Unchanged where there is none."""
    if output.isascii() or UNDISPUTED.fullmatch(output):
        return output
    parts: list[str] = []
    column = 1
    for token in _token().finditer(output):
        text = token[0]
        match token.lastgroup:
            case "disputed":
                width = cell_width(text)
                column += width
                parts.append(f"\x1b[{width}X{text}\x1b[{column}G" if width else text)
                continue
            case "plain":
                column += cell_width(text)
            case "line":
                column = 1
            case "row" | "column" | None:
                column = int(token["column"] or 1)
            case _:
                pass
        parts.append(text)
    return "".join(parts)
