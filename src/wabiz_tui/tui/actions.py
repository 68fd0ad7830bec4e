"""Every action by its stable id, with its keys: the one table behind bindings, palette, help, `[keymap]` and docs/keys.md.

A key sequence such as `g i` stands with a blank between its keys; the first of them is a leader.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple

from wabiz_tui.model.errors import UsageError

Where = Literal["everywhere", "inbox", "list", "composer"]


class Action(NamedTuple):
    """`keys` is a comma list in the notation of `[keymap]`; `where` tells what must have the focus for its keys to count."""

    id: str
    keys: str
    title: str
    group: str
    where: Where = "inbox"


ACTIONS: Final = (
    Action("list.next", "j,down", "Next", "Move", "list"),
    Action("list.previous", "k,up", "Previous", "Move", "list"),
    Action("list.half_down", "ctrl+d", "Half a page down", "Move", "list"),
    Action("list.half_up", "ctrl+u", "Half a page up", "Move", "list"),
    Action("list.page_down", "pagedown", "A page down", "Move", "list"),
    Action("list.page_up", "pageup", "A page up", "Move", "list"),
    Action("list.top", "g g,home", "To the top", "Move", "list"),
    Action("list.bottom", "G,end", "To the bottom", "Move", "list"),
    Action("conversation.open", "enter,l,right", "Open; on a message, unfold it", "Move", "list"),
    Action("conversation.back", "h,left,escape", "Back; the draft is kept", "Move", "list"),
    Action("conversation.next", "J", "Next conversation, reading on", "Move"),
    Action("conversation.previous", "K", "Previous conversation", "Move"),
    Action("needs.next", "n", "Next that needs you, or hit", "Move"),
    Action("needs.previous", "N", "Previous that needs you, or hit", "Move"),
    Action("pane.next", "tab", "Next pane", "Move", "everywhere"),
    Action("pane.previous", "shift+tab", "Previous pane", "Move", "everywhere"),
    Action("message.reply", "r,R", "Answer the message", "Talk"),
    Action("composer.focus", "i", "Write", "Talk"),
    Action("message.retry", "ctrl+r", "Send again what failed", "Talk", "everywhere"),
    Action("message.open", "o", "Open the file of the message", "Talk"),
    Action("message.copy", "y", "Copy message, numbers masked", "Talk"),
    Action("composer.send", "enter", "Send", "Compose", "composer"),
    Action("composer.newline", "ctrl+j,alt+enter", "New line", "Compose", "composer"),
    Action("composer.leave", "escape", "Leave, keeping the draft", "Compose", "composer"),
    Action("composer.unquote", "ctrl+g", "Drop the quote", "Compose", "composer"),
    Action("conversation.resolve", "e", "Resolve and go on", "Triage"),
    Action("conversation.status", "s", "Set the status", "Triage"),
    Action("conversation.snooze", "b,H", "Snooze", "Triage"),
    Action("conversation.take", "A", "Take it", "Triage"),
    Action("conversation.unread", "u", "Mark unread", "Triage"),
    Action("triage.undo", "z", "Undo, or recall what waits", "Triage"),
    Action("go.mine", "g i", "Go to mine", "Go"),
    Action("go.unassigned", "g u", "Go to unassigned", "Go"),
    Action("go.all", "g a", "Go to all", "Go"),
    Action("go.snoozed", "g s", "Go to snoozed", "Go"),
    Action("go.resolved", "g d", "Go to resolved", "Go"),
    Action("view.1", "1", "Mine", "Go"),
    Action("view.2", "2", "Unassigned", "Go"),
    Action("view.3", "3", "Open", "Go"),
    Action("view.4", "4", "Snoozed", "Go"),
    Action("view.5", "5", "Resolved", "Go"),
    Action("view.6", "6", "Pending", "Go"),
    Action("view.7", "7", "Unread", "Go"),
    Action("view.8", "8", "All", "Go"),
    Action("find.messages", "slash,f3", "Find messages", "Find"),
    Action("find.conversation", "f", "Find a conversation by name", "Find"),
    Action("pane.info", "I", "Show or hide the contact", "Find"),
    Action("app.palette", "ctrl+p,ctrl+k,colon", "All actions", "wabiz", "everywhere"),
    Action("app.help", "question_mark,f1", "Keys", "wabiz", "everywhere"),
    Action("app.theme", "", "Light or dark", "wabiz", "everywhere"),
    Action("app.redraw", "", "Draw the screen anew", "wabiz", "everywhere"),
    Action("app.lock", "ctrl+l", "Lock now", "wabiz", "everywhere"),
    Action("records.kept", "d,D,number_sign", "No key deletes records", "wabiz"),
    Action("app.quit", "q", "Close the talk, then wabiz", "wabiz"),
    Action("app.quit_now", "ctrl+q", "Leave wabiz", "wabiz", "everywhere"),
)
BY_ID: Final = {action.id: action for action in ACTIONS}
GROUPS: Final = tuple(dict.fromkeys(action.group for action in ACTIONS))

_SHOWN: Final = {
    "slash": "/", "colon": ":", "question_mark": "?", "number_sign": "#", "escape": "Esc", "enter": "Enter", "tab": "Tab",
    "shift+tab": "Shift+Tab", "pagedown": "PgDn", "pageup": "PgUp", "down": "↓", "up": "↑", "left": "←", "right": "→",
    "home": "Home", "end": "End", "space": "Space",
}  # fmt: skip


def unknown_action(changes: Mapping[str, str]) -> tuple[str, str | None] | None:
    """The first id in `changes` that no action has, with the nearest one that is near enough."""
    for identifier in changes:
        if identifier not in BY_ID:
            return identifier, next(iter(get_close_matches(identifier, BY_ID, n=1)), None)
    return None


class Keymap:
    """Which keys do what: the table above, with what `[keymap]` changes."""

    def __init__(self, changes: Mapping[str, str] | None = None) -> None:
        """Raises UsageError for an id that no action has, naming the nearest one."""
        if (unknown := unknown_action(changes or {})) is not None:
            identifier, nearest = unknown
            raise UsageError(f"[keymap]: no action is called {identifier}." + (f" Did you mean {nearest}?" if nearest else ""))
        self.keys: dict[str, tuple[str, ...]] = {action.id: _split(action.keys) for action in ACTIONS}
        for identifier, keys in (changes or {}).items():
            self.keys[identifier] = _split(keys)

    def single(self, identifier: str) -> str:
        """The keys of an action that are no sequences, as Textual's bindings want them."""
        return ",".join(key for key in self.keys[identifier] if " " not in key)

    def sequences(self) -> dict[str, dict[str, str]]:
        """Leader → second key → id of the action."""
        found: dict[str, dict[str, str]] = {}
        for identifier, keys in self.keys.items():
            for key in keys:
                leader, _, second = key.partition(" ")
                if second:
                    found.setdefault(leader, {})[second] = identifier
        return found

    def shown(self, identifier: str) -> str:
        """The keys of an action for people: `j ↓`, `g i`, `Ctrl+P Ctrl+K :`."""
        return "  ".join(show_key(key) for key in self.keys[identifier])

    def first(self, identifier: str) -> str:
        return next((show_key(key) for key in self.keys[identifier]), "")


def single_keys(action: Action) -> str:
    """The keys an action has before `[keymap]`, without the sequences."""
    return ",".join(key for key in _split(action.keys) if " " not in key)


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def show_key(key: str) -> str:
    """One key, or one sequence of keys, as people read it."""
    return " ".join(_show_one(part) for part in key.split(" "))


def _show_one(key: str) -> str:
    if key in _SHOWN:
        return _SHOWN[key]
    *modifiers, last = key.split("+")
    if modifiers:
        return "+".join(
            [*(each.capitalize() for each in modifiers), _SHOWN.get(last, last.upper() if len(last) == 1 else last.capitalize())]
        )
    return key.upper() if key.startswith("f") and key[1:].isdigit() else key


def matching(words: str) -> list[Action]:
    """The actions that hold all `words`, those first whose title begins with them."""
    wanted = words.casefold().split()

    def rank(action: Action) -> int:
        title = action.title.casefold()
        starts = [any(part.startswith(word) for part in title.split()) for word in wanted]
        return 0 if wanted and title.startswith(wanted[0]) else 1 if starts and all(starts) else 2

    found = [
        action
        for action in ACTIONS
        if action.where != "composer" and all(word in f"{action.title} {action.id} {action.group}".casefold() for word in wanted)
    ]
    return sorted(found, key=rank) if wanted else found
