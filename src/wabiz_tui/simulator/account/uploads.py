"""The open sessions of resumable uploads."""

import hashlib
from dataclasses import dataclass, field

SESSION = "upload:"
_MOST = 100


@dataclass
class Upload:
    """`length` bytes were announced; `content` is what came of them."""

    mime_type: str
    length: int
    content: bytes = b""


@dataclass
class Uploads:
    """The last hundred sessions by name, without the `upload:` their ids begin with."""

    sessions: dict[str, Upload] = field(default_factory=dict[str, Upload])
    begun: int = 0

    def begin(self, mime_type: str, length: int) -> str:
        """The new session's id."""
        self.begun += 1
        name = hashlib.sha256(f"upload {self.begun}".encode()).hexdigest()[:40]
        self.sessions[name] = Upload(mime_type, length)
        if len(self.sessions) > _MOST:
            del self.sessions[next(iter(self.sessions))]
        return SESSION + name
