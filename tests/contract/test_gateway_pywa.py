"""pywa, unmodified but for its base URL and token, works through the hub's gateway: `wabiz hub serve` before `wabiz simulator serve`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import pywa
from pywa.errors import ExpiredAccessToken, ReEngagementMessage, WhatsAppError

from tests.support.pywa_client import pywa_client
from tests.support.pywa_sends import PNG, SENDINGS, Chat
from tests.support.road import Road
from wabiz_tui.cli.demo.stage import NUMBER_ID, WABA_ID, Seat

FILES = (
    ("image", PNG, "image/png"),
    ("video", b"\0\0\0\x18ftypmp42" + bytes(24), "video/mp4"),
    ("document", b"%PDF-1.7 a bill", "application/pdf"),
    ("audio", b"OggS" + bytes(24), "audio/ogg"),
    ("sticker", b"RIFF\x1a\0\0\0WEBPVP8 " + bytes(16), "image/webp"),
)
FIRST = 4915730000100


class Shop(NamedTuple):
    """A program of the business with a key of its own, and an officer who reads what was archived."""

    road: Road
    admin: Seat
    officer: Seat
    wa: pywa.WhatsApp
    integration: dict[str, Any]

    def customer(self, index: int) -> Chat:
        """Somebody who just wrote; one a test, so that nobody gets more than Meta lets one person have."""
        phone = str(FIRST + index)
        return Chat(phone, self.road.customer_writes("Hello", phone=phone, name=f"Customer {index}"))

    def reached_meta(self, wamid: str) -> dict[str, Any]:
        (record,) = self.road.control(f"sent?wamid={wamid}")["sent"]
        return record


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Road(keep=False, seed=1, scenario=None) as road:
        admin = road.seat("admin", road.admin_code)
        officer = road.person(admin, "Casey", "compliance")
        [integration] = admin.records("integrations", "add", "Order desk", "--number", NUMBER_ID)
        road.control("settings", {"pace": 0, "per_second": 1000})
        with pywa_client(road.hub.url, token=integration["key"], waba_id=WABA_ID) as wa:
            yield Shop(road, admin, officer, wa, integration)


def test_every_kind_of_message_goes_and_is_archived(shop: Shop) -> None:
    """Each of pywa's sends reaches Meta as Meta documents it, but for our callback data, and stands in the archive under its name."""
    chat, expected = shop.customer(0), dict[str, tuple[str, str]]()
    for sending in SENDINGS:
        sent = sending.send(shop.wa, chat)
        body = shop.reached_meta(sent.id)["body"]
        ours = body.pop("biz_opaque_callback_data")
        wanted = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": chat.to} | sending.body(chat)
        wanted.pop("biz_opaque_callback_data", None)
        assert body == wanted, sending.name
        assert ours.startswith("w1:")
        expected[sent.id] = (wanted["type"], ours.removeprefix("w1:"))

    conversation = shop.road.conversation_of("Customer 0", shop.officer)
    archived = {message["wamid"]: message for message in shop.officer.records("messages", conversation["id"])}

    assert {wamid: (archived[wamid]["kind"], archived[wamid]["id"]) for wamid in expected} == expected
    assert {archived[wamid]["author_name"] for wamid in expected} == {"Order desk"}
    assert {archived[wamid]["origin"] for wamid in expected} == {"integration"}


def test_files_go_up_and_come_down_by_the_hubs_own_address(shop: Shop) -> None:
    """Each kind is uploaded, told, downloaded with the program's own key and sent by id; its bytes are the same all the way."""
    chat = shop.customer(1)
    for kind, content, mime_type in FILES:
        media = shop.wa.upload_media(content, mime_type=mime_type, filename=f"a.{kind}")

        told = shop.wa.get_media_url(media.id)
        fetched = shop.wa.get_media_bytes(told.url)
        stranger = httpx.get(told.url, trust_env=False)
        more = {"filename": "a.pdf"} if kind == "document" else {}
        sent = getattr(shop.wa, f"send_{kind}")(chat.to, media.id, mime_type=mime_type, **more)

        assert told.url.startswith(shop.road.hub.url), kind
        assert (fetched, told.mime_type, int(told.file_size)) == (content, mime_type, len(content))
        assert stranger.status_code == 401
        assert shop.reached_meta(sent.id)["body"][kind]["id"] == media.id


def test_a_file_is_deleted_by_who_uploaded_it(shop: Shop) -> None:
    """A deleted file is gone, for its owner and for Meta."""
    media = shop.wa.upload_media(PNG, mime_type="image/png", filename="a.png")

    assert shop.wa.delete_media(media_id=media.id)
    with pytest.raises(WhatsAppError):
        shop.wa.get_media_url(media.id)


def test_numbers_profile_and_templates_are_read(shop: Shop) -> None:
    """What pywa asks about the business is answered by Meta, of the key's number; templates are those that can be sent."""
    fields = ("id", "display_phone_number", "verified_name", "quality_rating", "throughput")
    number = shop.wa.api.get_business_phone_number(phone_id=NUMBER_ID, fields=fields)
    numbers = shop.wa.api.get_business_phone_numbers(waba_id=WABA_ID, fields=fields)["data"]
    profile = shop.wa.get_business_profile()
    templates = list(shop.wa.get_templates())

    assert (number["id"], [one["id"] for one in numbers]) == (NUMBER_ID, [NUMBER_ID])
    assert profile is not None
    assert templates
    assert {str(one.status.value) for one in templates} == {"APPROVED"}


def test_read_marks_and_typing(shop: Shop) -> None:
    """A customer's message can be marked read, with and without the typing indicator."""
    chat = shop.customer(2)

    assert shop.wa.mark_message_as_read(chat.incoming)
    assert shop.wa.indicate_typing(chat.incoming)


def test_refusals_are_the_errors_pywa_knows(shop: Shop) -> None:
    """A closed window and a revoked key arrive as pywa's own exceptions of those names."""
    with pytest.raises(ReEngagementMessage):
        shop.wa.send_text("+4915730009999", "Hi")
    [other] = shop.admin.records("integrations", "add", "Old desk", "--number", NUMBER_ID)
    [revoked] = shop.admin.records("integrations", "revoke", other["id"])
    with pywa_client(shop.road.hub.url, token=other["key"], waba_id=WABA_ID) as old, pytest.raises(ExpiredAccessToken):
        old.send_text("+4915730000100", "Hi")

    listed = {row["id"]: row.get("revoked_at") for row in shop.admin.records("integrations", "list")}
    assert revoked == {"integration": other["id"], "state": "revoked"}
    assert listed[other["id"]]
    assert not listed[shop.integration["id"]]
