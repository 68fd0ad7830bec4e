"""A maildir of plain mails, as a mail program's inbox: the peer of a warm start."""

from __future__ import annotations

import random
import shutil
import time
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

PROGRAM = "neomutt"
WORDS = ("the", "order", "has", "not", "arrived", "yet", "can", "you", "tell", "me", "when", "it", "will", "be", "here", "please")


def is_here() -> bool:
    return shutil.which(PROGRAM) is not None


def make_maildir(folder: Path, count: int, *, seed: int = 1) -> list[str]:
    """`count` mails of the last days in `folder`; the command that opens them, with a header cache and no one's settings."""
    chance, now = random.Random(seed), time.time()
    for name in ("cur", "new", "tmp"):
        (folder / "mails" / name).mkdir(parents=True)
    (folder / "cache").mkdir()
    for number in range(count):
        at = now - number * 60
        mail = EmailMessage()
        mail["From"] = f"Customer {number:05d} <c{number}@example.org>"
        mail["To"] = "desk@example.org"
        mail["Subject"] = " ".join(chance.choices(WORDS, k=6))
        mail["Date"] = formatdate(at)
        mail["Message-ID"] = f"<{number}@example.org>"
        mail.set_content(" ".join(chance.choices(WORDS, k=40)))
        (folder / "mails" / "cur" / f"{int(at)}.{number}.host:2,S").write_bytes(mail.as_bytes())
    settings = folder / "neomuttrc"
    settings.write_text(f'set header_cache = "{folder / "cache"}"\nset sort = reverse-date\nset folder = "{folder}"\n')
    return [PROGRAM, "-n", "-F", str(settings), "-f", str(folder / "mails")]
