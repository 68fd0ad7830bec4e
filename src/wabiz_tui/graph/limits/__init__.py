"""What Meta allows in a message (cloud-api §4, §5.1): one set of rules for what we build and for what others send."""

from wabiz_tui.graph.limits.measuring import OURS, THEIRS, Bounds
from wabiz_tui.graph.limits.media import CAPTION, MEDIA_SIZES, MEDIA_TYPES, check_file, media_kind, plain_type
from wabiz_tui.graph.limits.messages import CALLBACK_DATA, check, check_envelope, check_message, refusal, refusing

__all__ = (
    "CALLBACK_DATA", "CAPTION", "MEDIA_SIZES", "MEDIA_TYPES", "OURS", "THEIRS", "Bounds", "check", "check_envelope", "check_file",
    "check_message", "media_kind", "plain_type", "refusal", "refusing",
)  # fmt: skip
