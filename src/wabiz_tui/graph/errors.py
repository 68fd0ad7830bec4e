"""Meta's error codes as data (cloud-api §12): what each means, who may try again, and the line the agent reads."""

from datetime import timedelta
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.reading import Json, load_object, number_of, object_of, word
from wabiz_tui.model.errors import BadInput, CloudError
from wabiz_tui.model.text import safe_line

Retry = Literal["backoff", "wait", "fix", "admin", "never"]

MAX_DETAILS = 500


class Meaning(msgspec.Struct, frozen=True):
    """What an error code stands for.

    `retry` tells what can make it work: backoff, the same again after a growing pause with jitter; wait, when the window opens or
    the template is resumed (until then a template, or another one); fix, a changed request; admin, a person with access to the
    account; never, nothing. 131000 says fix because the message may have gone: look first (cloud-api §12, F*).
    `http_status` is what Meta answers with; 400 where its pages name none.
    """

    code: int
    title: str
    http_status: int
    retry: Retry
    sentence: str

    def tell(self, details: str = "") -> str:
        """The line for the agent, with Meta's details (made safe to show, and bounded) where the line has a place for them."""
        told = safe_line(details or self.title, limit=MAX_DETAILS).strip().rstrip(".")
        return self.sentence.replace("{details}", told or self.title)


_TOKEN = "Connection to WhatsApp has expired: ask your administrator to renew it."  # noqa: S105 a sentence, no secret
_PERMISSION = "Not allowed by the account's permissions: ask your administrator."
_BUSY = "WhatsApp is busy; wabiz will try again."
_INVALID = "Message not valid: {details}."
_FIELDS = "Template fields do not match: {details}."
_NUMBER = "The business number is not ready: ask your administrator."
_GROUP = "Group: {details}."
_CALL = "Call not possible: {details}."
_BLOCK = "Could not block or unblock: {details}."
_ADMIN = "Only an administrator can mend this: {details}."

_ROWS: tuple[tuple[int, str, int, Retry, str], ...] = (
    (0, "AuthException", 401, "admin", _TOKEN),
    (1, "API Unknown", 400, "fix", "WhatsApp could not read this message: change it and send again."),
    (2, "API Service", 503, "backoff", "WhatsApp is busy; not sent yet."),
    (3, "API Method", 500, "admin", _PERMISSION),
    (4, "API Too Many Calls", 400, "backoff", "Too many requests; wabiz will try again."),
    (10, "Application does not have permission for this action", 403, "admin", _PERMISSION),
    (33, "Parameter value is not valid", 400, "admin", "This business number no longer exists: ask your administrator."),
    (100, "Invalid parameter", 400, "fix", _INVALID),
    (190, "Access token has expired", 401, "admin", _TOKEN),
    (368, "Temporarily blocked for policies violations", 403, "admin", "WhatsApp has blocked this account for now."),
    (613, "Calls to this API have exceeded the rate limit", 400, "backoff", "Too many requests: try again in a moment."),
    (2500, "An active access token must be used", 400, "admin", "Connection to WhatsApp is not set up: ask your administrator."),
    (80007, "Rate limit issues", 400, "backoff", "Too many requests; wabiz will try again."),
    (130403, "Recipient is blocked", 400, "never", "You have blocked this contact."),
    (130429, "Rate limit hit", 400, "backoff", "Sending too fast; wabiz will try again."),
    (130472, "User's number is part of an experiment", 400, "never", "WhatsApp withheld this marketing message."),
    (130497, "Business account is restricted from messaging users in this country", 403, "admin", "Not allowed to message this country."),
    (130501, "Message type is not currently supported", 400, "never", "The customer sent something that cannot be shown."),
    (131000, "Something went wrong", 500, "fix", "WhatsApp failed: check whether it arrived before sending again."),
    (131005, "Access denied", 403, "admin", _PERMISSION),
    (131008, "Required parameter is missing", 400, "fix", _INVALID),
    (131009, "Parameter value is not valid", 400, "fix", _INVALID),
    (131016, "Service unavailable", 500, "backoff", _BUSY),
    (131020, "Group has one member", 400, "fix", _GROUP),
    (131021, "Recipient cannot be sender", 400, "never", "You cannot message your own number."),
    (131026, "Message undeliverable", 400, "never", "Could not be delivered to this person."),
    (131030, "Recipient phone number not in allowed list", 400, "admin", "Test number: this recipient is not on its list."),
    (131031, "Account has been locked", 403, "admin", "The account is locked by WhatsApp: ask your administrator."),
    (131035, "Webhook expired", 400, "never", "The message could not be kept."),
    (131036, "Content expired", 400, "never", "The message could not be kept."),
    (131037, "Display name not approved", 400, "admin", "The business name is not approved yet."),
    (131041, "Group unknown", 400, "fix", _GROUP),
    (131042, "Business eligibility payment issue", 400, "admin", "Billing problem on the account: ask your administrator."),
    (131044, "Business eligibility payment issue (calls)", 400, "admin", "Billing problem on the account: ask your administrator."),
    (131045, "Incorrect certificate", 500, "admin", "The business number is not registered: ask your administrator."),
    (131047, "Re-engagement message", 400, "wait", "The 24-hour window is closed: use a template."),
    (131048, "Spam rate limit hit", 400, "admin", "The number is limited because of complaints."),
    (131049, "Message not delivered to maintain healthy engagement", 400, "never", "WhatsApp chose not to deliver: not before tomorrow."),
    (131050, "User has stopped receiving marketing messages", 400, "never", "The customer opted out of marketing."),
    (131051, "Unsupported message type", 400, "fix", "This kind of message is not supported."),
    (131052, "Media download error", 400, "never", "The customer's file could not be fetched: ask for it another way."),
    (131053, "Media upload error", 400, "fix", "File type or size not accepted: {details}."),
    (131055, "Method not allowed", 400, "fix", "The template cannot be used here."),
    (131056, "(Business Account, Consumer Account) pair rate limit hit", 400, "backoff", "Too many messages to this person; waiting."),
    (131057, "Account in maintenance mode", 500, "backoff", "The number is being upgraded; wabiz will try again."),
    (131059, "Cursor not valid", 400, "fix", "The list moved meanwhile: start again."),
    (131060, "Message unavailable", 400, "never", "The message can only be seen in the WhatsApp Business app."),
    (131062, "Business-scoped user ID not allowed", 400, "fix", "This needs the customer's phone number."),
    (131063, "Marketing messages are off on Cloud API", 400, "admin", "Marketing is turned off for this account."),
    (131064, "Limited for template misclassification", 400, "admin", "The account is limited because of a template's category."),
    (131201, "Partial success", 206, "fix", _GROUP),
    (131202, "Group participant duplicate", 400, "fix", _GROUP),
    (131204, "Too many participants", 400, "fix", _GROUP),
    (131207, "Group suspended", 403, "fix", _GROUP),
    (131208, "Group rate limit", 429, "backoff", _GROUP),
    (131209, "Group picture is not square", 400, "fix", _GROUP),
    (131210, "Group picture is too small", 400, "fix", _GROUP),
    (131211, "Group creation limit reached", 400, "fix", _GROUP),
    (131212, "Not a participant of the group", 400, "fix", _GROUP),
    (131213, "No such request to join the group", 400, "fix", _GROUP),
    (131214, "Group creation disabled for now", 400, "fix", _GROUP),
    (131215, "Not eligible for groups", 400, "admin", _GROUP),
    (132000, "Number of parameters does not match the expected number of params", 400, "fix", _FIELDS),
    (132001, "Template name does not exist in the translation", 404, "fix", "The template is not available in this language."),
    (132005, "Translated text too long", 400, "fix", "The text is too long for this template."),
    (132007, "Template format character policy violated", 400, "fix", "The template was refused by policy."),
    (132008, "Template parameter value not valid", 400, "fix", _FIELDS),
    (132012, "Parameter format does not match format in the created template", 400, "fix", _FIELDS),
    (132015, "Template is paused", 400, "wait", "The template is paused: choose another."),
    (132016, "Template is disabled", 400, "never", "The template is switched off: choose another."),
    (132018, "Template parameters not valid", 400, "fix", "Template fields not valid: {details}."),
    (132068, "Flow is blocked", 400, "admin", "The form is not available now."),
    (132069, "Flow is throttled", 400, "backoff", "The form is not available now."),
    (133000, "Incomplete deregistration", 500, "admin", _NUMBER),
    (133004, "Server temporarily unavailable", 503, "backoff", _BUSY),
    (133005, "Two step verification PIN mismatch", 400, "admin", _NUMBER),
    (133006, "Phone number re-verification needed", 400, "admin", _NUMBER),
    (133008, "Too many two step verification PIN guesses", 400, "admin", _NUMBER),
    (133009, "Two step verification PIN guessed too fast", 400, "admin", _NUMBER),
    (133010, "Account not registered", 400, "admin", _NUMBER),
    (133015, "Wait before registering this number again", 400, "admin", _NUMBER),
    (133016, "Account register/deregister rate limit exceeded", 400, "admin", _NUMBER),
    (134011, "Payments terms not accepted", 400, "admin", "Payments are not accepted yet."),
    (134100, "Not a marketing template", 400, "fix", "The template cannot be used here."),
    (134101, "Template is still syncing", 400, "backoff", "The template cannot be used yet; wabiz will try again."),
    (134102, "Template not eligible", 500, "admin", "The template cannot be used here."),
    (135000, "Generic user error", 400, "fix", _INVALID),
    (137000, "Identity key hash mismatch", 400, "fix", "The customer's security code changed: confirm who they are first."),
    (138000, "Calling not enabled", 400, "never", _CALL),
    (138001, "Receiver uncallable", 400, "never", _CALL),
    (138002, "Concurrent calls limit", 400, "backoff", _CALL),
    (138003, "Duplicate call", 400, "never", _CALL),
    (138004, "Connection error", 400, "backoff", _CALL),
    (138005, "Call rate limit exceeded", 400, "backoff", _CALL),
    (138006, "No approved call permission found", 400, "never", _CALL),
    (138007, "Connection timeout error", 400, "never", _CALL),
    (138009, "Call permission request limit hit", 400, "never", _CALL),
    (138012, "Business initiated calls limit hit", 400, "never", _CALL),
    (138013, "Business initiated calling not available", 400, "never", _CALL),
    (138014, "Calling temporarily disabled", 400, "never", _CALL),
    (138015, "Calling cannot be enabled", 400, "never", _CALL),
    (138017, "Call permission is permanent already", 400, "never", _CALL),
    (138018, "Calling prerequisites not met", 400, "never", _CALL),
    *((code, "Calling", 400, "never", _CALL) for code in (138008, 138010, 138011, 138016)),
    (139000, "Flow blocked by integrity", 400, "fix", _ADMIN),
    (139001, "Flow cannot be updated", 400, "fix", _ADMIN),
    (139002, "Flow cannot be published", 400, "fix", _ADMIN),
    (139003, "Flow cannot be deprecated", 400, "fix", _ADMIN),
    (139004, "Flow cannot be deleted", 400, "fix", _ADMIN),
    (139100, "Failed to block or unblock some users", 400, "fix", _BLOCK),
    (139101, "Block list limit reached", 400, "fix", _BLOCK),
    (139102, "Block list concurrent update", 400, "fix", _BLOCK),
    (139103, "Block list internal error", 400, "backoff", _BLOCK),
    *((code, "Business username", 400, "fix", _ADMIN) for code in range(147001, 147006)),
    (2388019, "Message template limit exceeded", 400, "fix", _ADMIN),
    (2388039, "Character limit exceeded", 400, "fix", _ADMIN),
    (2388040, "Character limit exceeded", 400, "fix", _ADMIN),
    (2388047, "Message header format is incorrect", 400, "fix", _ADMIN),
    (2388072, "Message body format is incorrect", 400, "fix", _ADMIN),
    (2388073, "Message footer format is incorrect", 400, "fix", _ADMIN),
    (2388293, "Parameters words ratio exceeds limit", 400, "fix", _ADMIN),
    (2388299, "Leading or trailing params not allowed", 400, "fix", _ADMIN),
    (2494100, "Account in maintenance mode", 400, "backoff", "The number is being upgraded; wabiz will try again."),
    *((code, "Coexistence sync", 400, "admin", _ADMIN) for code in (2593107, 2593108, 2593109)),
)  # fmt: skip
TABLE: dict[int, Meaning] = {row[0]: Meaning(*row) for row in _ROWS}


def meaning(code: int) -> Meaning:
    """What `code` means. A code not in the table is never retried and shows Meta's details."""
    known = TABLE.get(code)
    if known is not None:
        return known
    if 200 <= code <= 299:
        return Meaning(code, "API Permission", 403, "admin", _PERMISSION)
    return Meaning(code, "Unknown error", 400, "never", "WhatsApp refused: {details}.")


def graph_error(code: int, details: str) -> CloudError:
    """The error for `code`, to be raised where a request is judged; `details` names the field that is wrong."""
    known = meaning(code)
    return CloudError(
        known.tell(details),
        graph_code=code,
        http_status=known.http_status,
        details=details,
        is_transient=known.retry == "backoff",
    )


def build_error(
    code: int, details: str, trace: str, *, subcode: int | None = None, user_title: str = "", user_message: str = ""
) -> dict[str, Any]:
    """The body Graph answers with; its HTTP status is `meaning(code).http_status`."""
    known = meaning(code)
    error: Json = {
        "message": f"(#{code}) {known.title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or known.title},
        "fbtrace_id": trace,
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    if known.retry == "backoff":
        error["is_transient"] = True
    told = {"error_user_title": user_title, "error_user_msg": user_message}
    return {"error": error | {key: text for key, text in told.items() if text}}


def parse_error(raw: bytes, http_status: int, *, retry_after: timedelta | None = None) -> CloudError:
    """The error an answer that is not 2xx stands for; never raises.

    Uncertain (the request may have been carried out): code 131000, and 5xx without a readable code. Transient: codes that
    call for a pause, `is_transient` in the body, and 429 without a code. A code that is not in the table shows what Meta says of
    it; a subcode decides nothing (cloud-api §12).
    """
    try:
        error = object_of(load_object(raw).get("error"))
    except BadInput:
        error = {}
    number = number_of(error.get("code"))
    if number is None:
        return _without_code(http_status, retry_after)
    code = int(number)
    known = meaning(code)
    details = _details(error, is_known=code in TABLE)
    return CloudError(
        known.tell(details),
        graph_code=code,
        http_status=http_status,
        details=details,
        is_transient=known.retry == "backoff" or (error.get("is_transient") is True and code != 131000),
        is_uncertain=code == 131000,
        retry_after=retry_after,
        trace=word(error.get("fbtrace_id"))[:MAX_DETAILS] or None,
        code=_own_code(error),
    )


def _own_code(error: Json) -> str | None:
    """What a hub of wabiz, which speaks Graph too, calls a refusal of its own."""
    code = word(object_of(error.get("error_data")).get("wabiz_code"))
    return code if len(code) <= 40 and code.isidentifier() else None


def _details(error: Json, *, is_known: bool) -> str:
    """What Meta says went wrong, in one bounded line. Its sentence for people comes first where we have none of our own."""
    details, message = word(object_of(error.get("error_data")).get("details")), word(error.get("message"))
    user_message = word(error.get("error_user_msg"))
    told = (details, user_message, message) if is_known else (user_message, details, message)
    return safe_line(next((text for text in told if text.strip()), ""), limit=MAX_DETAILS).strip()


def _without_code(http_status: int, retry_after: timedelta | None) -> CloudError:
    if http_status >= 500:
        sentence = "WhatsApp answered with an error it did not explain: check whether the message arrived before sending again."
    elif http_status == 429:
        sentence = "Too many requests; wabiz will try again."
    else:
        sentence = f"WhatsApp refused with HTTP status {http_status} and no reason: ask your administrator."
    return CloudError(
        sentence, http_status=http_status, is_transient=http_status == 429, is_uncertain=http_status >= 500, retry_after=retry_after
    )
