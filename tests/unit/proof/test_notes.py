"""Checkpoints: byte for byte what other transparency-log tools write and read."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.errors import BadInput, BadSignature, TooLarge, UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.merkle import EMPTY_ROOT, leaf_hash
from wabiz_tui.proof.notes import Checkpoint, build_checkpoint, open_note, sign_note, verifier_key, verify_checkpoint
from wabiz_tui.proof.signing import public_key

# The key and note of golang.org/x/mod/sumdb/note (note_test.go).
PETER_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
PETER_SEED = Secret(base64.b64decode(PETER_SKEY.split("+", 4)[4])[1:])

# The example of https://c2sp.org/signed-note
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
FOO_KEY = base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]

SEED = Secret(bytes(range(32)))
PUBLIC = public_key(SEED)
NOTE = build_checkpoint(Checkpoint("hub.example/wabiz/1", 7, leaf_hash(b"root")), SEED)


def test_our_notes_are_gos_notes():
    """Signing the reference text with the reference key gives the reference note, byte for byte."""
    assert verifier_key("PeterNeumann", public_key(PETER_SEED)) == PETER_VKEY
    assert sign_note(PETER_TEXT, PETER_SEED, name="PeterNeumann") == f"{PETER_TEXT}\n{PETER_LINE}"


def test_the_notes_of_the_specification_open():
    """The example of the C2SP page verifies with its key."""
    assert open_note(FOO_NOTE, name="example.com/foo", public=FOO_KEY) == "This is an example message.\n"


def test_a_checkpoint_is_origin_size_and_root():
    """A checkpoint's text is its three lines, and verifying gives them back."""
    assert NOTE.startswith(f"hub.example/wabiz/1\n7\n{base64.b64encode(leaf_hash(b'root')).decode()}\n\n— hub.example/wabiz/1 ")
    assert verify_checkpoint(NOTE, origin="hub.example/wabiz/1", public=PUBLIC) == Checkpoint("hub.example/wabiz/1", 7, leaf_hash(b"root"))


def test_other_peoples_signatures_are_ignored():
    """A witness's line before or after ours does not disturb."""
    text, _, line = NOTE.rpartition("\n\n")
    for note in (f"{text}\n\n{PETER_LINE}{line}", f"{text}\n\n{line}{PETER_LINE}"):
        assert verify_checkpoint(note, origin="hub.example/wabiz/1", public=PUBLIC).size == 7
    with pytest.raises(BadSignature):
        verify_checkpoint(f"{text}\n\n{PETER_LINE}", origin="hub.example/wabiz/1", public=PUBLIC)


@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_any_flipped_bit_is_noticed(bit: int):
    """One changed bit anywhere in a note is refused, or leaves text that was not signed for nothing."""
    raw = bytearray(NOTE.encode())
    raw[bit // 8] ^= 1 << bit % 8
    try:
        changed = raw.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises((BadInput, BadSignature)):
        verify_checkpoint(changed, origin="hub.example/wabiz/1", public=PUBLIC)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "no signature\n",
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("7\n", "07\n"),
        NOTE + "\n",
        NOTE.replace("hub", "h\x1bub"),
    ],
)
def test_what_is_no_note_is_refused(note: str):
    """Other forms are refused as such."""
    with pytest.raises((BadInput, BadSignature)):
        verify_checkpoint(note, origin="hub.example/wabiz/1", public=PUBLIC)


@pytest.mark.parametrize(
    "lines", [["log"], ["log", "1"], ["log", "-1", "A" * 43 + "="], ["log", "01", "A" * 43 + "="], ["log", "1", "AAAA"]]
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(lines: list[str]):
    """A valid signature does not make a checkpoint of other words."""
    note = sign_note("".join(f"{line}\n" for line in lines), SEED, name="log")

    with pytest.raises(BadInput):
        verify_checkpoint(note, origin="log", public=PUBLIC)


def test_a_checkpoint_of_another_log_is_refused():
    """The same key may sign for two logs; one's checkpoint is not the other's."""
    note = build_checkpoint(Checkpoint("log/2", 0, EMPTY_ROOT), SEED, name="log")

    with pytest.raises(BadInput, match="another log"):
        verify_checkpoint(note, origin="log/1", public=PUBLIC, name="log")


def test_giants_are_refused_unread():
    """A note beyond 64 KiB, or with more than a hundred signatures, is too large."""
    with pytest.raises(TooLarge):
        verify_checkpoint("x" * 70_000, origin="log", public=PUBLIC)
    text, _, line = NOTE.rpartition("\n\n")
    with pytest.raises(TooLarge):
        verify_checkpoint(f"{text}\n\n{line * 101}", origin="hub.example/wabiz/1", public=PUBLIC)


@pytest.mark.parametrize("name", ["", "with blank", "with+plus", "line\nfeed"])
def test_bad_names_do_not_sign(name: str):
    """A key's name holds no blank and no plus sign."""
    with pytest.raises(UsageError):
        sign_note("text\n", SEED, name=name)
