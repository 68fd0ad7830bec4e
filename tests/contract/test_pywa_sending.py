"""pywa, unmodified but for its base URL, sends every kind of message through `wabiz simulator serve`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pywa
import pywa_async
from pywa import types
from pywa.errors import ExpiredAccessToken, InvalidParameter, MediaUploadError, ReEngagementMessage, WhatsAppError

from tests.support.pywa_client import pywa_async_client, pywa_client
from tests.support.pywa_sends import PNG, SENDINGS, Chat, Sending
from tests.support.simulator_process import NUMBER, SECOND_NUMBER, SimulatorProcess, simulator_process
from wabiz_tui.graph.errors import TABLE

CUSTOMER = "4915730000077"


@dataclass(frozen=True)
class File:
    """A file of each kind; `more` is what pywa may be told beside it."""

    kind: str
    content: bytes
    mime_type: str
    more: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.kind


FILES = [
    File("image", PNG, "image/png", {"caption": "Red"}),
    File("video", b"\0\0\0\x18ftypmp42" + bytes(24), "video/mp4", {"caption": "Red"}),
    File("document", b"%PDF-1.7 a bill", "application/pdf", {"caption": "Paid", "filename": "Bill.pdf"}),
    File("audio", b"OggS" + bytes(24), "audio/ogg"),
    File("sticker", b"RIFF\x1a\0\0\0WEBPVP8 " + bytes(16), "image/webp"),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def wa(simulator: SimulatorProcess) -> Iterator[pywa.WhatsApp]:
    with pywa_client(simulator.url) as client:
        yield client


@pytest.fixture(scope="module")
def chat(simulator: SimulatorProcess) -> Chat:
    return Chat(CUSTOMER, simulator.meet(CUSTOMER))


@pytest.mark.parametrize("sending", SENDINGS, ids=str)
def test_message_arrives_as_meta_documents_it(wa: pywa.WhatsApp, simulator: SimulatorProcess, chat: Chat, sending: Sending) -> None:
    """What pywa sends is accepted under a wamid, and recorded with Meta's documented body, key by key."""
    sent = sending.send(wa, chat)

    record = simulator.sent(sent.id)
    envelope = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": CUSTOMER}
    assert record["body"] == envelope | sending.body(chat)
    assert (record["wa_id"], record["number"], sent.from_phone_id, sent.input) == (CUSTOMER, NUMBER, NUMBER, CUSTOMER)


@pytest.mark.parametrize("file", FILES, ids=str)
@pytest.mark.parametrize("source", ["bytes", "path", "id"])
def test_file_is_uploaded_and_sent(
    wa: pywa.WhatsApp, simulator: SimulatorProcess, chat: Chat, *, tmp_path: Path, source: str, file: File
) -> None:
    """From bytes, a path or an uploaded id, pywa sends each kind of media by id, and the id brings back the same bytes."""
    path = tmp_path / "a file"
    path.write_bytes(file.content)
    uploaded = wa.upload_media(file.content, mime_type=file.mime_type, filename="a") if source == "id" else None
    given = {"bytes": file.content, "path": path, "id": uploaded and uploaded.id}[source]

    sent = getattr(wa, f"send_{file.kind}")(chat.to, given, mime_type=file.mime_type, **file.more)

    body = simulator.sent(sent.id)["body"]
    assert body["type"] == file.kind
    assert body[file.kind] == {"id": body[file.kind]["id"], **file.more}
    info = wa.get_media_url(body[file.kind]["id"])
    assert (info.mime_type, int(info.file_size)) == (file.mime_type, len(file.content))
    assert info.sha256 == hashlib.sha256(file.content).hexdigest()
    assert wa.get_media_bytes(info.url) == file.content


def test_media_makes_the_whole_round(wa: pywa.WhatsApp, tmp_path: Path) -> None:
    """A file larger than any chunk comes back byte for byte, streamed and saved; deleted it is gone."""
    content = b"%PDF-1.7\n" + bytes(range(256)) * 4096
    media = wa.upload_media(content, mime_type="application/pdf", filename="Bill.pdf")
    info = wa.get_media_url(media.id)

    saved = wa.download_media(url=info.url, path=tmp_path, filename="bill.pdf")
    streamed = b"".join(wa.stream_media(info.url))

    assert hashlib.sha256(saved.read_bytes()).hexdigest() == info.sha256
    assert streamed == content
    assert wa.delete_media(media.id).success
    with pytest.raises(WhatsAppError, match="does not exist"):
        wa.get_media_url(media.id)


def test_media_is_deleted_for_its_own_number_only(wa: pywa.WhatsApp) -> None:
    """With a number named, pywa deletes a file only where it was uploaded."""
    media = wa.upload_media(PNG, mime_type="image/png", filename="a.png")

    with pytest.raises(WhatsAppError):
        wa.delete_media(media.id, phone_id=SECOND_NUMBER)

    assert wa.delete_media(media.id, phone_id=NUMBER).success


def test_file_of_a_wrong_kind_is_refused_in_metas_words(wa: pywa.WhatsApp) -> None:
    """pywa raises its own class for Meta's 131053 when the content is not what it says."""
    with pytest.raises(MediaUploadError, match="image/png"):
        wa.upload_media(PNG, mime_type="application/pdf", filename="a.pdf")


def test_read_mark_and_typing_are_recorded(wa: pywa.WhatsApp, simulator: SimulatorProcess, chat: Chat) -> None:
    """Both go out under the customer's wamid; typing marks as read too."""
    assert wa.mark_message_as_read(chat.incoming).success
    assert wa.indicate_typing(chat.incoming).success

    reads = [read for read in simulator.ask("reads")["reads"] if read["message_id"] == chat.incoming]
    assert [read["typing"] for read in reads] == [False, True]


def test_customer_known_by_user_id_alone_is_reached(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """pywa sends a BSUID as `recipient`, and reads back the user id instead of a phone number."""
    user_id = "BR.13491208655302741918"
    simulator.control("inbound", user_id=user_id, text="Oi", wait=False)

    sent = wa.send_message(user_id, "Oi!")

    record = simulator.sent(sent.id)
    assert (record["body"]["recipient"], record["to"], record["user_id"]) == (user_id, None, user_id)
    assert sent.input == user_id


def test_other_number_sends_too(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """`sender` names another number of the account."""
    simulator.meet("4915730000078", number=SECOND_NUMBER)

    sent = wa.send_message("4915730000078", "Hi", sender=SECOND_NUMBER)

    assert simulator.sent(sent.id)["number"] == SECOND_NUMBER == sent.from_phone_id


def test_refusals_come_as_pywas_own_errors(wa: pywa.WhatsApp, simulator: SimulatorProcess, chat: Chat) -> None:
    """Codes, details and traces of Meta's error bodies reach the class pywa has for them."""
    with pytest.raises(InvalidParameter) as refused:
        wa.send_message("DE.00000000000000000000", "Hi")
    assert refused.value.code == 131009
    assert refused.value.fbtrace_id
    assert "recipient" in (refused.value.details or "")

    simulator.control("settings", window="sync")
    with pytest.raises(ReEngagementMessage):
        wa.send_message("4915730000999", "Nobody wrote from there")
    simulator.control("settings", window="async")

    simulator.control("fault", kind="token_expired", count=1)
    with pytest.raises(ExpiredAccessToken):
        wa.send_message(chat.to, "Hi")


@pytest.mark.parametrize("family", WhatsAppError.__subclasses__(), ids=lambda family: family.__name__)
def test_every_error_code_is_raised_as_pywas_class(wa: pywa.WhatsApp, simulator: SimulatorProcess, chat: Chat, family: type) -> None:
    """Each code of Meta's table that pywa knows comes with its HTTP status, and as the class pywa has for it."""
    known_codes = {code: known for known in family.__subclasses__() for code in known.__error_codes__ or () if code in TABLE}
    # 131201, "partial success", is HTTP 206: no error to pywa.
    classes = {code: known for code, known in known_codes.items() if TABLE[code].http_status >= 400}

    for code, known in classes.items():
        simulator.control("fault", kind="http_error", code=code, details="asked for by a test")

        with pytest.raises(known) as refused:
            wa.send_message(chat.to, "Hi")

        answer = refused.value
        assert (answer.code, answer.status_code, answer.details) == (code, TABLE[code].http_status, "asked for by a test")


async def test_async_half_sends_and_uploads(simulator: SimulatorProcess, chat: Chat) -> None:
    """pywa_async sends text, buttons and a file, marks as read and fetches what it uploaded."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as session:
        wa: pywa_async.WhatsApp = pywa_async_client(simulator.url, session)

        text = await wa.send_message(chat.to, "Hi", tracker="async-1")
        buttons = await wa.send_message(chat.to, "Which?", buttons=[types.Button(title="A", callback_data="a")])
        image = await wa.send_image(chat.to, PNG, mime_type="image/png", caption="Red")
        read = await wa.mark_message_as_read(chat.incoming)
        info = await wa.get_media_url(simulator.sent(image.id)["body"]["image"]["id"])
        content = await wa.get_media_bytes(info.url)

    assert simulator.sent(text.id)["callback_data"] == "async-1"
    assert simulator.sent(buttons.id)["body"]["interactive"]["action"]["buttons"][0]["reply"] == {"id": "a", "title": "A"}
    assert read.success
    assert content == PNG
