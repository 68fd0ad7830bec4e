"""The keys that may follow a leader key."""

from wabiz_tui.tui.wording.spans import Line, Span, fit, line


def which_lines(leader: str, followers: list[tuple[str, str]], width: int) -> list[Line]:
    """Leader and followers in columns of 26 cells."""
    columns = max(1, (width - 4) // 26)
    rows = [followers[at : at + columns] for at in range(0, len(followers), columns)]
    lines = [line(ground="float")]
    for number, row in enumerate(rows):
        spans = [Span("  "), Span(f"{leader} " if number == 0 else "  ", "title")]
        for key, title in row:
            spans += [Span(fit(key, 3), "key"), Span(fit(title, 22)), Span(" ")]
        lines.append(line(*spans, ground="float"))
    return [*lines, line(ground="float")]
