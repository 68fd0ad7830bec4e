"""An auditor verifies a file of receipts with nothing but a public key: 0 for a whole chain, 1 and one sentence for anything else."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.unit.proof.test_receipts import OTHER, PUBLIC, SEED, chain
from wabiz_tui.cli.main import main
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import Receipt, SignedReceipt
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.receipts import chain_hash, sign_receipt
from wabiz_tui.proof.signing import public_key

Lines = list[bytes]
KEY = to_base64(PUBLIC)


def lines(length: int = 4) -> Lines:
    return [encode(signed) for signed in chain(length)]


def tampered(made: Lines) -> Lines:
    return [made[0], made[1].replace(b'\\"messages\\":3', b'\\"messages\\":4'), *made[2:]]


def foreign(made: Lines) -> Lines:
    """Well signed by another device, at the right place."""
    receipt = decode(chain(3)[2].receipt, Receipt)
    other = msgspec.structs.replace(receipt, device="e" * 32)
    return [*made[:2], encode(sign_receipt(other, OTHER))]


def of_another_business(made: Lines) -> Lines:
    last = decode(made[-1], SignedReceipt)
    number = len(made) + 1
    receipt = msgspec.structs.replace(
        decode(last.receipt, Receipt), number=number, tenant="2", epoch=number, next_epoch=number + 1, previous=chain_hash(last)
    )
    return [*made, encode(sign_receipt(receipt, SEED))]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (tampered, r"Line 2 \(receipt 2\): The receipt's signature is wrong"),
        (lambda made: [made[0], made[2], made[1], made[3]], r"Line 2 \(receipt 3\): .*one is missing"),
        (lambda made: [made[0], made[3]], r"Line 2 \(receipt 4\): .*2 are missing"),
        (lambda made: made[1:], r"Line 1 \(receipt 2\): .*one is missing"),
        (lambda made: [*made, made[3]], r"Line 5 \(receipt 4\): .*doubled or out of order"),
        (foreign, r"Line 3 \(receipt 3\): The receipt names another key"),
        (of_another_business, r"Line 5 \(receipt 5\): .*another device or business"),
        (lambda made: [*made[:3], made[3][: len(made[3]) // 2]], r"Line 4: "),
        (lambda made: [made[0], b"[]", *made[2:]], r"Line 2: "),
        (lambda made: [made[0], b'{"receipt":1,"signature":2,"public_key":3}'], r"Line 2: "),
        (lambda _: [b'{"receipt":"\\ud800","signature":"x","public_key":"y"}'], r"Line 1: "),
        (lambda _: [b"\x00\xff\xfe"], r"Line 1: "),
        (lambda _: [b"[" * 100_000], r"Line 1: "),
        (lambda _: [], r"holds no receipt"),
    ],
)
def test_what_is_no_whole_chain_is_refused_in_one_sentence(
    spoil: Callable[[Lines], Lines], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tampered, reordered, dropped, doubled, foreign, truncated, wrong-typed: exit 1, the line and the receipt's number."""
    file = tmp_path / "receipts.jsonl"
    file.write_bytes(b"\n".join(spoil(lines())) + b"\n")

    assert main(["receipts", "verify", str(file), "--key", KEY]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    (said,) = captured.err.splitlines()
    assert re.search(sentence, said), said


def test_a_whole_chain_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its key in base64 or hexadecimal; with --json its receipts are records; a last line without its end is whole too."""
    file = tmp_path / "receipts.jsonl"
    file.write_bytes(b"\n".join(lines()))

    assert main(["receipts", "verify", str(file), "--key", KEY, "--last", "4"]) == 0
    assert "numbers 1 to 4" in capsys.readouterr().out
    assert main(["receipts", "verify", str(file), "--key", PUBLIC.hex(), "--json"]) == 0
    assert [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()] == [1, 2, 3, 4]


def test_an_end_that_was_cut_off_shows_by_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A chain without its last receipts is whole by itself; who knows how many there are is told."""
    file = tmp_path / "receipts.jsonl"
    file.write_bytes(b"\n".join(lines()[:2]))

    assert main(["receipts", "verify", str(file), "--key", KEY]) == 0
    assert main(["receipts", "verify", str(file), "--key", KEY, "--last", "4"]) == 1
    assert "number 2 where 4 is due" in capsys.readouterr().err


def test_another_key_verifies_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key is the auditor's, never the file's; what is no key is said to be none."""
    file = tmp_path / "receipts.jsonl"
    file.write_bytes(b"\n".join(lines()))

    assert main(["receipts", "verify", str(file), "--key", to_base64(public_key(OTHER))]) == 1
    assert "another key" in capsys.readouterr().err
    assert main(["receipts", "verify", str(file), "--key", "AAAA"]) == 1


def test_a_huge_file_is_refused_unread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of 65 MiB is no file of receipts."""
    file = tmp_path / "receipts.jsonl"
    with file.open("wb") as huge:
        huge.truncate(65 << 20)

    assert main(["receipts", "verify", str(file), "--key", KEY]) == 1
    assert "larger than 64 MiB" in capsys.readouterr().err
