"""Purge receipts: a device signs what it destroyed, each receipt chained to the one before; anybody verifies them offline."""

import hashlib
from collections.abc import Sequence

import msgspec

from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt, SignedReceipt
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.signing import public_key
from wabiz_tui.proof.statements import state, verify_statement

CONTEXT = "wabiz/receipt/v1"
_MAX_RECEIPT = 64 * 1024
_MAX_FILE = 256 * 1024 * 1024


def sign_receipt(receipt: Receipt, seed: Secret) -> SignedReceipt:
    """`receipt` signed with the device's key."""
    text, signature = state(receipt, seed, CONTEXT)
    return SignedReceipt(receipt=text, signature=signature, public_key=to_base64(public_key(seed)))


def verify_receipt(signed: SignedReceipt, public: bytes) -> Receipt:
    """The receipt, signed by the key `public`. Says nothing about its place in the chain. Raises BadSignature, BadInput."""
    if signed.public_key != to_base64(public):
        raise BadSignature("The receipt names another key than the device's.")
    receipt = verify_statement(signed.receipt, signed.signature, public, CONTEXT, Receipt, what="The receipt", limit=_MAX_RECEIPT)
    if receipt.number < 1 or receipt.epoch < 0:
        raise BadInput("The receipt's number or epoch is out of range.")
    if receipt.next_epoch <= receipt.epoch:
        raise BadInput("The receipt's next epoch does not follow its epoch.")
    if receipt.finished_at < receipt.started_at:
        raise BadInput("The receipt ends before it begins.")
    return receipt


def chain_hash(signed: SignedReceipt | None) -> str:
    """What the receipt after `signed` carries in `previous`: SHA-256 (hex) of its text; empty after None."""
    return "" if signed is None else hashlib.sha256(signed.receipt.encode()).hexdigest()


def verify_next(signed: SignedReceipt, public: bytes, *, previous: SignedReceipt | None) -> Receipt:
    """The receipt, and that it directly follows `previous` (None: that it is the first). `previous` must be verified already."""
    receipt = verify_receipt(signed, public)
    before = None if previous is None else decode(previous.receipt, Receipt)
    number = 1 if before is None else before.number + 1
    if receipt.number != number:
        raise BadInput(f"The receipt has number {receipt.number} where {number} is due: {_how(receipt.number, number)}.")
    if receipt.previous != chain_hash(previous):
        raise BadInput("The receipt does not follow from the one before it.")
    if before is None:
        return receipt
    if (receipt.device, receipt.tenant) != (before.device, before.tenant):
        raise BadInput("The receipt is of another device or business than the one before it.")
    # The hub may destroy epochs of its own (overdue devices), so epochs may jump, but never back.
    if receipt.epoch < before.next_epoch:
        raise BadInput("The receipt's epoch was destroyed before.")
    return receipt


def _how(number: int, due: int) -> str:
    if number > due:
        return "one is missing" if number == due + 1 else f"{number - due} are missing"
    return "it is doubled or out of order"


def verify_chain(chain: Sequence[SignedReceipt], public: bytes) -> list[Receipt]:
    """All receipts of a device from number 1 on. Raises BadSignature or BadInput that names the first bad line."""
    receipts: list[Receipt] = []
    previous: SignedReceipt | None = None
    for line, signed in enumerate(chain, start=1):
        try:
            receipts.append(verify_next(signed, public, previous=previous))
        except WabizError as error:
            raise _at_line(error, f"{line}{_claimed(signed)}") from error
        previous = signed
    return receipts


def parse_receipts(raw: bytes) -> list[SignedReceipt]:
    """The lines of a receipts file (JSON Lines; empty lines at the end are allowed). Verifies nothing. Raises BadInput."""
    if len(raw) > _MAX_FILE:
        raise TooLarge("The receipts file is larger than 256 MiB.")
    chain: list[SignedReceipt] = []
    for line, text in enumerate(raw.rstrip().split(b"\n") if raw.strip() else (), start=1):
        try:
            chain.append(decode(text, SignedReceipt))
        except BadInput as error:
            raise _at_line(error, str(line)) from error
    return chain


def _at_line(error: WabizError, line: str) -> WabizError:
    kind = BadSignature if isinstance(error, BadSignature) else BadInput
    return kind(f"Line {line}: {error.sentence}")


def _claimed(signed: SignedReceipt) -> str:
    """The number that a receipt says it has, for the sentence that refuses it: nothing of it is believed."""
    try:
        return f" (receipt {decode(signed.receipt[:_MAX_RECEIPT], _Numbered).number})"
    except BadInput:
        return ""


class _Numbered(msgspec.Struct):
    number: int
