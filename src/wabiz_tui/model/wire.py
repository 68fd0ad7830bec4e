"""What desks and hub say to each other under /v1 (besides the feed and the Graph-shaped gateway): bodies of requests and answers."""

from datetime import datetime
from typing import Literal

import msgspec

from wabiz_tui.model.values import Message, Role


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every /v1 answer that is not 2xx: a stable code and a sentence for the person who reads it."""

    code: str
    sentence: str


class EnrollRequest(msgspec.Struct, frozen=True):
    """POST /v1/enroll. `proof` is the Ed25519 signature (base64) over `wabiz/enroll/v1\\n` + code + `\\n` + public_key."""

    code: str
    public_key: str
    proof: str
    device_name: str = ""


class EnrollReply(msgspec.Struct, frozen=True):
    """`tenant` is the WABA id; the keys are the hub's Ed25519 public keys (base64 of 32 bytes): policy signs policies and
    answers, audit signs checkpoints. `cache_id` salts the device's key derivation (32 hex, random, made once)."""

    device: str
    cache_id: str
    person: str
    person_name: str
    role: Role
    tenant: str
    business: str
    policy_key: str
    audit_key: str


class TokenRequest(msgspec.Struct, frozen=True):
    """POST /v1/token, private_key_jwt (RFC 7523): EdDSA JWT with iss = sub = device id, aud = `wabiz:<tenant>`, jti, exp ≤ 60 s."""

    client_assertion: str
    grant_type: Literal["client_credentials"] = "client_credentials"
    client_assertion_type: str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenReply(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the name of a scheme, no secret


class ShareReply(msgspec.Struct, frozen=True):
    """GET /v1/device/share (current epoch) and POST /v1/device/epochs (begins `epoch` + 1). Shares are base64 of 32 bytes.

    `lease` is in seconds; 0 means the share must not outlive the process. `reset` tells that the hub destroyed the epoch the
    device had ("erased by key destruction"): start empty; the outbox share is unchanged. It is empty
    for a device that the policy closes out, which begins an epoch to purge: its outbox is open or stays shut.
    """

    epoch: int
    share: str
    outbox_share: str
    lease: int
    at: datetime
    reset: bool = False


class PolicyVersion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is signed of a policy: `text` is the TOML document, byte for byte."""

    version: int
    text: str
    at: datetime
    tenant: str = ""
    by: str = ""


class SignedPolicy(msgspec.Struct, frozen=True):
    """`policy` is the canonical JSON of a PolicyVersion as text; `signature` (base64) covers `wabiz/policy/v1\\n` + it."""

    policy: str
    signature: str


class ReceiptCounts(msgspec.Struct, frozen=True, omit_defaults=True):
    messages: int = 0
    conversations: int = 0
    contacts: int = 0
    events: int = 0
    drafts: int = 0
    media: int = 0


class Receipt(msgspec.Struct, frozen=True):
    """A device's statement of what it purged. Holds no personal data: ids only as a keyed hash.

    `ids_hash` is HMAC-SHA256 (hex), under the destroyed epoch's key, over the sorted ids, so nobody can test a guess once the
    key is gone. `previous` is the SHA-256 (hex) of the canonical JSON of the receipt before it, empty for number 1.
    """

    number: int
    device: str
    tenant: str
    epoch: int
    """The epoch whose key and file are destroyed."""
    next_epoch: int
    policy: int
    reason: Literal["due", "policy", "resolved", "lock", "exit", "start", "asked", "removed", "reset", "wipe"]
    started_at: datetime
    finished_at: datetime
    removed: ReceiptCounts
    kept: ReceiptCounts
    ids_hash: str
    stores: tuple[str, ...]
    method: str
    file_destroyed: bool
    key_destroyed: bool
    previous: str


class SignedReceipt(msgspec.Struct, frozen=True):
    """One line of a receipts file. `receipt` is the canonical JSON of a Receipt as text; `signature` (base64, the device's
    Ed25519 key) covers `wabiz/receipt/v1\\n` + it; `public_key` is that key."""

    receipt: str
    signature: str
    public_key: str


class ReceiptReply(msgspec.Struct, frozen=True):
    """POST /v1/receipts: recorded, the share of the receipt's epoch destroyed, and the audit log's checkpoint (a C2SP note)."""

    number: int
    share_destroyed: bool
    checkpoint: str


class StatusChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/status. Snoozed is `until` an instant, or until the customer writes where that is null; they end
    a snooze and a wait at any time. Whatever opens what was resolved begins a new episode."""

    status: Literal["open", "pending", "snoozed", "resolved"]
    until: datetime | None = None
    reason: str = ""


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/assignee: a person's id, or null for nobody. `expected` is who the caller saw to have it (null:
    nobody) and makes taking conflict-free: whoever is late gets 409 `taken`. `team`, where given, moves it to that team too."""

    person: str | None
    expected: str | None = None
    team: str | msgspec.UnsetType | None = msgspec.UNSET
    reason: str = ""


class ReadMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/read: everything up to this message id was seen; `unread` instead marks it unread again."""

    up_to: str | None = None
    unread: bool = False


class NewPerson(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/people; the answer is `{"person": id, "code": one-time enrolment code, "expires_at"}`."""

    name: str
    role: Role
    teams: tuple[str, ...] = ()


class EnrolmentCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is `<secret>.<first 16 hex of SHA-256 of the hub's policy key>`: the device refuses a hub with another key. `id` is
    what an unused code is withdrawn by."""

    code: str
    person: str = ""
    expires_at: datetime | None = None
    id: str = ""


class NewIntegration(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/integrations: a program that sends through the gateway. `numbers` are phone_number_ids, `permissions` actions of the
    matrix that keys may have, `rate` its requests a second; `any_hour` frees it from the policy's working hours."""

    name: str
    numbers: tuple[str, ...]
    permissions: tuple[str, ...]
    rate: int = 50
    any_hour: bool = False


class IntegrationKey(msgspec.Struct, frozen=True):
    """The answer to it: `key` is told here and never again."""

    id: str
    name: str
    key: str


class IntegrationInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/integrations: what is known of a program; its key is not."""

    id: str
    name: str
    numbers: tuple[str, ...]
    permissions: tuple[str, ...]
    rate: int
    any_hour: bool
    created_at: datetime
    created_by: str = ""
    revoked_at: datetime | None = None


class WhoAmI(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/me."""

    device: str
    person: str
    name: str
    role: Role
    tenant: str
    head: int
    policy: int
    at: datetime


class PolicyText(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/policy/check, /v1/policy/diff and /v1/policy (apply): a TOML document and, for messages, its file name."""

    text: str
    file: str = "policy.toml"


class PolicyStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/policy/versions, newest first: how one version stands."""

    version: int
    state: str
    """in_force, waiting, superseded or withdrawn."""
    name: str = ""
    at: datetime | None = None
    by: str = ""
    approved_by: str | None = None
    waits_until: datetime | None = None


class PolicyOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What applying a policy did: in force at once, or waiting for a second person and the grace period."""

    version: int
    state: Literal["in_force", "waiting", "unchanged"]
    changes: tuple[str, ...] = ()
    waits_until: datetime | None = None


class HistoryPage(msgspec.Struct, frozen=True):
    """GET /v1/conversations/{id}/messages?before=<message id>&limit=N: messages straight from the archive, in rising time, for
    showing what the cache may not hold. They are never stored by a desk; the hub logs the reading once a day."""

    messages: list[Message]
    has_earlier: bool


class NewUpload(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/uploads: a file that comes in pieces. The device makes `id` (32 hex); `size` in bytes, `sha256` in hexadecimal.

    Each piece then goes to PUT /v1/uploads/{id}/{offset}, and POST /{version}/{number}/media with
    `{"messaging_product": "whatsapp", "upload": id}` passes the whole on to Meta."""

    id: str
    mime_type: str
    size: int
    sha256: str
    filename: str = ""


class UploadStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an upload has come: the next piece begins at `received` and has `piece` bytes, the last one fewer. `media` is Meta's
    id once she has the file."""

    id: str
    size: int
    received: int
    piece: int
    media: str = ""


ADDRESS = "conversation:"
IDEMPOTENCY_KEY = "Idempotency-Key"
MESSAGE_HEADER = "Wabiz-Message"
TIME_HEADER = "Wabiz-Time"
"""The hub's clock (RFC 3339) on every /v1 answer, refusals among them: a device whose clock is off can make a valid assertion."""


def address_of(conversation: str) -> str:
    """The `recipient` by which a desk names the customer of a conversation in a gateway send: the desk may know the number
    only masked, so the hub puts the true one in before the message goes on to Meta."""
    return ADDRESS + conversation


def addressed_conversation(recipient: str | None) -> str | None:
    """The conversation a gateway send is addressed to in this way; None for a recipient of Meta's own kind."""
    return recipient.removeprefix(ADDRESS) if recipient is not None and recipient.startswith(ADDRESS) else None
