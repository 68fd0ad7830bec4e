"""What a number keeps about the people who write to it: whom it has blocked, whose phone number it knows, whom it may call."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.outcomes import Refused
from wabiz_tui.graph.reading import Json, list_of, load_object, number_of, object_of, word
from wabiz_tui.model.errors import BadInput

_SOME_FAILED = 139100


class Unblockable(msgspec.Struct, frozen=True):
    """A user the list could not take, with Meta's first reason: mostly that they have not written in 24 hours."""

    input: str
    code: int | None
    reason: str


class BlockOutcome(msgspec.Struct, frozen=True):
    """`done` as they were named; the list is then as far as it got."""

    done: tuple[str, ...]
    failed: tuple[Unblockable, ...]


class Users:
    """M "Block users": for each number its own list, at most 64,000, of people who wrote in the last 24 hours."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def blocked(self, number: str) -> AsyncIterator[Json]:
        """`{wa_id?, user_id?}` of each."""
        return self._calls.pages(number, "block_users")

    async def block(self, number: str, users: Sequence[str]) -> BlockOutcome:
        """Phone numbers, wa_ids or BSUIDs (told apart by their dot). That some could not be blocked is an outcome, no error: look at
        `failed`. Nothing they send arrives any more, and sends to them fail with 130403."""
        return await self._change("POST", number, users)

    async def unblock(self, number: str, users: Sequence[str]) -> BlockOutcome:
        return await self._change("DELETE", number, users)

    async def forget(self, number: str, bsuid: str) -> None:
        """Meta forgets the phone number it keeps for this user in the business's contact book, for good (cloud-api §2)."""
        await self._calls.delete(number, "contact_book", params={"messaging_product": "whatsapp", "bsuid": bsuid})

    async def call_permissions(self, number: str, user: str) -> Json:
        """Whether this user may be called, and what may be asked of them (M "User call permissions")."""
        return await self._calls.get(number, "call_permissions", params={_key(user, "recipient", "user_wa_id"): user})

    async def _change(self, method: str, number: str, users: Sequence[str]) -> BlockOutcome:
        listed = [{_key(user, "user_id", "user"): user} for user in users]
        body = {"messaging_product": "whatsapp", "block_users": listed}
        path = self._calls.path(number, "block_users")
        try:
            raw = (await self._calls.transport.request(method, path, body=body)).body
        except Refused as error:
            # A part that failed is HTTP 400 with both lists beside the error.
            if error.graph_code != _SOME_FAILED or b"failed_users" not in error.answer:
                raise
            raw = error.answer
        return _outcome(object_of(_lenient(raw).get("block_users")))


def _outcome(told: Json) -> BlockOutcome:
    # For an unblocked user Meta's page says added_users and pywa reads removed_users: both are taken (cloud-api §2).
    rows = [object_of(row) for key in ("added_users", "removed_users") for row in list_of(told.get(key))]
    failed = [_unblockable(object_of(row)) for row in list_of(told.get("failed_users"))]
    return BlockOutcome(tuple(word(row.get("input")) for row in rows), tuple(failed))


def _unblockable(row: Json) -> Unblockable:
    error = object_of(next(iter(list_of(row.get("errors"))), None))
    code = number_of(error.get("code"))
    reason = word(object_of(error.get("error_data")).get("details")) or word(error.get("message"))
    return Unblockable(word(row.get("input")), int(code) if code is not None else None, reason[:500])


def _key(user: str, for_bsuid: str, for_phone: str) -> str:
    return for_bsuid if "." in user else for_phone


def _lenient(raw: bytes) -> Json:
    try:
        return load_object(raw)
    except BadInput:
        return {}
