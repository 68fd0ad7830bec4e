"""Lines of spans as strips: what each role and ground wears in the theme that is on."""

from functools import cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme

from wabiz_tui.tui.colours import load_palette, load_roles
from wabiz_tui.tui.wording.spans import Line


class Paper:
    """Styles by role and ground, made once each."""

    def __init__(self, theme: str) -> None:
        self.palette = load_palette(theme)
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, role: str, ground: str) -> Style:
        found = self._styles.get((role, ground))
        if found is None:
            wear = load_roles()[role]
            colours = self.palette.colours
            found = self._styles[role, ground] = Style(
                color=colours[wear.colour],
                bgcolor=colours[wear.ground or ground],
                bold="bold" in wear.attributes or None,
                italic="italic" in wear.attributes or None,
                underline="underline" in wear.attributes or None,
                strike="strike" in wear.attributes or None,
                reverse="reverse" in wear.attributes or None,
            )
        return found

    def strip(self, line: Line, width: int) -> Strip:
        """`line` in exactly `width` cells."""
        return Strip(self._segments(line)).adjust_cell_length(width, self.style("text", line.ground))

    def _segments(self, line: Line) -> list[Segment]:
        """One segment a span; blanks join what stands before them on the same ground, so that fewer bytes change the style."""
        segments: list[Segment] = []
        before = ""
        for text, role, own_ground in line.spans:
            if not text:
                continue
            ground = own_ground or line.ground
            if ground == before and text.isspace() and role not in _SEEN_WHEN_BLANK:
                last = segments[-1]
                segments[-1] = Segment(last.text + text, last.style)
                continue
            segments.append(Segment(text, self.style(role, ground)))
            before = "" if role in _SEEN_WHEN_BLANK else ground
        return segments


# Roles that show on a blank: another ground of their own, underlined, struck or reversed.
_SEEN_WHEN_BLANK = frozenset(
    role for role, wear in load_roles().items() if wear.ground is not None or wear.attributes & {"underline", "strike", "reverse"}
)


@cache
def paper_for(theme: str) -> Paper:
    """The paper of a theme by its name; the same one for as long as the program runs."""
    return Paper(theme)


def make_theme(name: str) -> Theme:
    """One of our palettes as a Textual theme, its colours as variables for the styles in app.tcss."""
    palette = load_palette(name)
    colours = palette.colours
    return Theme(
        name=palette.name,
        primary=colours["accent"],
        secondary=colours["sky"],
        warning=colours["warn"],
        error=colours["bad"],
        success=colours["accent"],
        accent=colours["accent"],
        foreground=colours["text"],
        background=colours["base"],
        surface=colours["bar"],
        panel=colours["panel"],
        dark=palette.dark,
        variables={f"wabiz-{key}": value for key, value in colours.items()},
    )
