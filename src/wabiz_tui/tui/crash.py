"""What is said when the screen meets an error of its own: one sentence and a reference, no values, no locals, no message."""

import traceback
from pathlib import PurePath


def crash_text(error: BaseException | None) -> str:
    """The sentence for the terminal after the end. The reference is the same for the same fault, so reports can be counted."""
    import hashlib

    place = crash_place(error)
    reference = hashlib.sha256(place.encode()).hexdigest()[:8]
    return (
        f"wabiz met an error it did not expect and has closed the inbox; what was sent or drafted is kept by the desk.\n"
        f"Run wabiz to go on. Reference {reference} ({place})."
    )


def crash_place(error: BaseException | None) -> str:
    """Type, file and line. An exception's message is left out: it may quote what a customer wrote."""
    if error is None:
        return "unknown"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "wabiz_tui" in frame.filename] or list(frames)
    if not ours:
        return type(error).__name__
    last = ours[-1]
    return f"{type(error).__name__} at {'/'.join(PurePath(last.filename).parts[-2:])}:{last.lineno}"
