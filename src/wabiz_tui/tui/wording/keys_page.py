"""docs/keys.md, made from the table of actions: `python -m wabiz_tui.tui.wording.keys_page > docs/keys.md`."""

import sys

from wabiz_tui.tui.actions import ACTIONS, GROUPS, show_key

_HEAD = """# Keys

Made from the table of actions in `src/wabiz_tui/tui/actions.py`; a test keeps the two the same. In the program, `?` shows the keys
as they are now and `Ctrl+P` every action.

Any action can be given other keys in `config.toml`, by its id; a comma separates keys, a blank the two keys of a sequence:

```toml
[keymap]
"conversation.resolve" = "e,x"
"go.mine" = "g i,g m"
```

Keys are named as Textual names them (`ctrl+d`, `pagedown`, `question_mark`); `wabiz keys` says the name of each key you press.
In the composer letters are text; `Ctrl+A E W U K Y` and `Alt+B F` work as in readline. `d`, `D` and `#` delete nothing, here or
anywhere: records are deleted only by policy.
"""


def keys_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for group in GROUPS:
        parts.append(f"\n## {group}\n\n| keys | action | id | where |\n|---|---|---|---|\n")
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(f"`{show_key(key.strip())}`" for key in action.keys.split(",") if key.strip()) or "(palette)"
                parts.append(f"| {keys} | {action.title} | `{action.id}` | {action.where} |\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(keys_page())
