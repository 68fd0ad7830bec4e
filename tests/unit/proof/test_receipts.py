"""Receipts, policies, enrolment and commitments: signed, chained, and refused when anything was touched."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.codec import decode, encode, encode_canonical
from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge, UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import PolicyVersion, Receipt, ReceiptCounts, SignedReceipt
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.commitments import commit, is_commitment, new_salt
from wabiz_tui.proof.enrolment import build_code, build_request, check_request, is_expected_hub, parse_code
from wabiz_tui.proof.policies import sign_policy, verify_policy
from wabiz_tui.proof.receipts import chain_hash, parse_receipts, sign_receipt, verify_chain, verify_next, verify_receipt
from wabiz_tui.proof.signing import public_key, sign

SEED, OTHER = Secret(b"d" * 32), Secret(b"o" * 32)
PUBLIC = public_key(SEED)
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def receipt(number: int, previous: str, /, **changes: object) -> Receipt:
    made = Receipt(
        number=number,
        device="d" * 32,
        tenant="1",
        epoch=number,
        next_epoch=number + 1,
        policy=1,
        reason="due",
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=2),
        removed=ReceiptCounts(messages=3),
        kept=ReceiptCounts(messages=7),
        ids_hash="0" * 64,
        stores=("cache",),
        method="rebuild",
        file_destroyed=True,
        key_destroyed=True,
        previous=previous,
    )
    return msgspec.structs.replace(made, **changes)


def chain(length: int, **changes: object) -> list[SignedReceipt]:
    """A chain whose last receipt has `changes`."""
    signed: list[SignedReceipt] = []
    for number in range(1, length + 1):
        previous = chain_hash(signed[-1] if signed else None)
        signed.append(sign_receipt(receipt(number, previous, **(changes if number == length else {})), SEED))
    return signed


def test_a_chain_verifies_whole():
    """Receipts signed one after the other verify as a chain, and one by one."""
    signed = chain(4)

    assert [line.number for line in verify_chain(signed, PUBLIC)] == [1, 2, 3, 4]
    assert verify_next(signed[2], PUBLIC, previous=signed[1]).number == 3
    assert verify_receipt(signed[0], PUBLIC) == receipt(1, "")


def test_a_file_of_receipts_is_json_lines():
    """Lines written by the codec are read back; a broken one is named by its number."""
    signed = chain(3)
    lines = [encode(line) for line in signed]

    assert parse_receipts(b"\n".join(lines) + b"\n") == signed
    assert parse_receipts(b"") == []
    with pytest.raises(BadInput, match=r"^Line 2:"):
        parse_receipts(b"\n".join([lines[0], b"{}", lines[2]]))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], lines[2], lines[3]], 2),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[1], lines[1], lines[2]], 3),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:3], sign_receipt(verify_receipt(lines[3], PUBLIC), OTHER)], 4),
    ],
)
def test_a_gap_a_repeat_or_another_key_is_named_by_its_line(change, line: int):
    """Whatever is missing, doubled, moved or signed by another key is found at the first wrong line."""
    with pytest.raises(BadInput, match=rf"^Line {line} \(receipt \d\):"):
        verify_chain(change(chain(4)), PUBLIC)


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "e" * 32},
        {"tenant": "2"},
        {"epoch": 1, "next_epoch": 9},
        {"next_epoch": 3},
        {"number": 4},
        {"previous": "0" * 64},
        {"finished_at": NOW - timedelta(seconds=1)},
    ],
)
def test_a_well_signed_receipt_that_cannot_follow_is_refused(changes: dict[str, object]):
    """A device cannot sign itself a receipt of another device, a past epoch, a wrong number or reversed times."""
    with pytest.raises(BadInput, match=r"^Line 3 \(receipt \d\):"):
        verify_chain(chain(3, **changes), PUBLIC)


def test_epochs_may_jump_forward():
    """After the hub destroyed an epoch of its own the next receipt's epoch is higher than the one announced."""
    assert verify_chain(chain(3, epoch=7, next_epoch=8), PUBLIC)[2].epoch == 7


@given(st.data())
def test_any_flipped_bit_of_a_receipt_is_noticed(data: st.DataObject):
    """One changed bit in text, signature or key of a receipt makes it invalid."""
    signed = chain(1)[0]
    field = data.draw(st.sampled_from(["receipt", "signature", "public_key"]))
    raw = bytearray(getattr(signed, field).encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    changed = msgspec.structs.replace(signed, **{field: raw.decode("latin-1")})

    with pytest.raises(BadInput):
        verify_receipt(changed, PUBLIC)


@pytest.mark.parametrize("spoil", [lambda text: text.replace(":", ": ", 1), lambda text: '{"number":9,' + text[1:], lambda text: "[]"])
def test_only_canonical_text_is_a_statement(spoil):
    """Blanks, doubled keys and other values are refused even when well signed."""
    text = spoil(chain(1)[0].receipt)
    signed = SignedReceipt(text, to_base64(sign(SEED, "wabiz/receipt/v1", text.encode())), to_base64(PUBLIC))

    with pytest.raises(BadInput):
        verify_receipt(signed, PUBLIC)


def test_a_newer_devices_extra_keys_are_allowed():
    """A receipt with a key this version does not know verifies, so old verifiers outlive new devices."""
    newer = {**decode(chain(1)[0].receipt, dict), "weight": 1}
    text = encode_canonical(newer).decode()
    signed = SignedReceipt(text, to_base64(sign(SEED, "wabiz/receipt/v1", text.encode())), to_base64(PUBLIC))

    assert verify_receipt(signed, PUBLIC).number == 1


def test_giants_are_refused_unread():
    """A receipt beyond 64 KiB is too large, whatever its signature."""
    with pytest.raises(TooLarge):
        verify_receipt(msgspec.structs.replace(chain(1)[0], receipt="x" * 70_000), PUBLIC)


def test_a_policy_is_signed_byte_for_byte():
    """The text comes back exactly; a receipt's signature, another key or another text does not pass."""
    version = PolicyVersion(version=3, text='name = "Ü"\r\n# kept\n', at=NOW, tenant="1")
    signed = sign_policy(version, SEED)

    assert verify_policy(signed, PUBLIC) == version
    with pytest.raises(BadSignature):
        verify_policy(signed, public_key(OTHER))
    with pytest.raises(BadSignature):
        verify_policy(msgspec.structs.replace(signed, policy=signed.policy.replace("kept", "lost")), PUBLIC)


def test_enrolment_proves_the_key_and_names_the_hub():
    """A request proves its key for its own code only, and the code tells the right hub from another."""
    code = build_code("s3cret-s3cret-s3cret", PUBLIC)
    request = build_request(code, OTHER, device_name="jump box")

    assert check_request(request) == public_key(OTHER)
    assert is_expected_hub(code, PUBLIC)
    assert not is_expected_hub(code, public_key(OTHER))
    other_code = build_code("another-secret-here", PUBLIC)
    with pytest.raises(BadSignature):
        check_request(msgspec.structs.replace(request, code=other_code))
    with pytest.raises(BadSignature):
        check_request(msgspec.structs.replace(request, public_key=to_base64(PUBLIC)))


@pytest.mark.parametrize("code", ["", "short.0123456789abcdef", "s3cret-s3cret-s3cret", "s3cret-s3cret-s3cret.XYZ", "a" * 500])
def test_what_is_no_code_is_refused_without_repeating_it(code: str):
    """A mistyped code is refused, and its secret part is not in the message."""
    with pytest.raises(BadInput) as refused:
        parse_code(code)

    assert "s3cret" not in refused.value.sentence


def test_a_commitment_says_nothing_without_its_salt():
    """The same record under two salts gives two commitments, and each opens only with its own salt and record."""
    first, second = (new_salt(lambda size, mark=mark: mark * size) for mark in (b"1", b"2"))
    record = {"b": 1, "a": "x"}

    assert commit(first, record) != commit(second, record)
    assert is_commitment(commit(first, record), first, {"a": "x", "b": 1})
    assert not is_commitment(commit(first, record), second, record)
    assert not is_commitment(commit(first, record), first, {"a": "y", "b": 1})
    with pytest.raises(UsageError):
        commit(b"short", record)
