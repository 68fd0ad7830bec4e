"""What the hub itself refuses at the gateway: a code of wabiz's own beside the code of Meta's that comes nearest.

Clients of the Cloud API decide on Meta's code and need no change; `error_data.wabiz_code` tells the hub's refusal from Meta's.
"""

from datetime import timedelta
from typing import NamedTuple

from wabiz_tui.graph.errors import meaning
from wabiz_tui.model.errors import CloudError


class Refusal(NamedTuple):
    """`code` is Meta's, `status` the HTTP status; `advice` says to whoever wrote the program what to do."""

    code: int
    status: int
    meaning: str
    advice: str
    is_transient: bool = False


REFUSALS: dict[str, Refusal] = {
    "bad_token": Refusal(190, 401, "no token, or one the hub does not know (any more)", "Use a device's token or an integration key."),
    "wrong_tokens": Refusal(
        4, 429, "too many wrong tokens came from this address; right ones still pass", "Wait for Retry-After.", is_transient=True
    ),
    "not_permitted": Refusal(10, 403, "the role or the key may not do this", "Ask an administrator for the permission it names."),
    "unknown_number": Refusal(33, 400, "no business number of this hub, or not one of this key's", "Use a number of the key."),
    "unknown_recipient": Refusal(131009, 400, "no conversation that the caller can see", "Send to a phone number or a user id."),
    "unknown_message": Refusal(131009, 400, "no message that the caller can see", "Use the id that came with the message."),
    "off_shift": Refusal(10, 403, "the policy closes the inbox now", "Wait until the time it names; or a key made with `--any-hour`."),
    "window_closed": Refusal(131047, 400, "the customer last wrote more than 24 hours ago", "Send a template."),
    "blocked": Refusal(130403, 400, "the business has blocked this contact", "Unblock the contact first."),
    "opted_out": Refusal(131050, 400, "the customer stopped marketing messages", "Send no marketing; utility templates still go."),
    "template_unknown": Refusal(132001, 404, "no template of that name in that language", "List the templates; mind the language."),
    "template_paused": Refusal(132015, 400, "the template is paused", "Choose another, or wait until it is resumed."),
    "template_disabled": Refusal(132016, 400, "the template is switched off", "Choose another."),
    "template_unapproved": Refusal(132001, 404, "the template is not approved", "Wait for Meta's review, or choose another."),
    "category_unknown": Refusal(
        131016, 503, "the customer opted out, and the template's category is not known now", "Try again in a moment.", is_transient=True
    ),
    "key_reused": Refusal(100, 409, "the Idempotency-Key was used for another request", "Make a new key for each message."),
    "rate_limited": Refusal(130429, 400, "too many requests of this key or number", "Wait for Retry-After.", is_transient=True),
    "pair_rate": Refusal(131056, 400, "too many messages to this customer", "Wait for Retry-After.", is_transient=True),
    "too_large": Refusal(131053, 413, "the file is larger than Meta takes of its kind", "Make it smaller."),
    "no_room": Refusal(131016, 503, "the hub has no room for another file now", "Wait for Retry-After.", is_transient=True),
    "unknown_media": Refusal(100, 400, "no file that the caller can see", "Ask for a file of a conversation you can see."),
    "unknown_upload": Refusal(100, 404, "no upload of this id that the caller began", "Begin it again at /v1/uploads."),
    "upload_incomplete": Refusal(100, 409, "pieces of the upload are missing", "Ask /v1/uploads how far it has come."),
    "upload_damaged": Refusal(100, 422, "what came is not the file that was told", "Begin the upload again."),
    "unknown_object": Refusal(100, 400, "nothing of this id that the caller can see", "Use ids that the gateway listed."),
    "still_archiving": Refusal(131016, 503, "the archive has not got the file yet", "Try again in a moment.", is_transient=True),
    "busy": Refusal(131016, 503, "the hub cannot take this now", "Try again in a moment.", is_transient=True),
    "not_sent": Refusal(131016, 503, "the hub ended before the message left", "Repeat with the same Idempotency-Key.", is_transient=True),
    "uncertain": Refusal(131000, 500, "the message may have been sent", "Do not send it again by machine; its status settles it."),
    "unsupported": Refusal(100, 404, "the gateway does not pass this call on", "See the table of calls."),
}  # fmt: skip


def refuse(wabiz_code: str, details: str, *, retry_after: timedelta | None = None) -> CloudError:
    """The error to raise where the hub refuses; `details` is one sentence without anything a customer wrote."""
    refusal = REFUSALS[wabiz_code]
    return CloudError(
        meaning(refusal.code).tell(details),
        graph_code=refusal.code,
        http_status=refusal.status,
        details=details,
        is_transient=refusal.is_transient,
        retry_after=retry_after,
        code=wabiz_code,
    )


def render_refusals() -> str:
    """The table as docs/gateway.md prints it."""
    head = "| `wabiz_code` | Meta's code | HTTP | means | what to do |\n|---|---|---|---|---|"
    rows = [f"| `{name}` | {one.code} | {one.status} | {one.meaning} | {one.advice} |" for name, one in REFUSALS.items()]
    return "\n".join((head, *rows)) + "\n"
