"""What a hub gives nobody who is no friend: a revoked device, a curious agent, a flooder."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import TestDevice
from tests.support.work import Floor, floor, refusal
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.model.codec import encode

TEXT = {"messaging_product": "whatsapp", "to": "447700900123", "type": "text", "text": {"body": "Hi"}}

BOUNDARY = "b0undary"
_PARTS = {"messaging_product": "whatsapp", "type": "image/png", 'file"; filename="a.png': "x"}
_BODY = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in _PARTS.items())
FORM = f"{_BODY}--{BOUNDARY}--\r\n".encode()


async def _held_back(device: TestDevice, path: str, body: object, meanwhile: Any) -> httpx.Response:
    """A post whose last byte comes only after `meanwhile`, and whose first the hub has read before."""
    return await device.served.http.post(path, content=_drip(encode(body), meanwhile), headers=device.headers)


async def _drip(raw: bytes, meanwhile: Any) -> AsyncGenerator[bytes]:
    yield raw[:-1]
    await asyncio.sleep(0.2)  # nothing says that the hub waits for the rest; sooner would only make the test weaker
    await meanwhile()
    yield raw[-1:]


async def _revoke(work: Floor, device: TestDevice) -> None:
    answer = await work.admin.post(f"/v1/devices/{device.reply.device}/revoke", {})
    assert answer.status_code == 200, answer.text


async def test_a_body_held_back_until_its_device_is_revoked_does_nothing(tmp_path: Path) -> None:
    """Who was let in while the body was on its way is asked for again once it is whole: at /v1 and at the gateway."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()

        note = await _held_back(work.ann, f"/v1/conversations/{conversation}/notes", {"text": "late"}, lambda: _revoke(work, work.ann))
        sent = await _held_back(work.ben, f"/v26.0/{NUMBER}/messages", TEXT, lambda: _revoke(work, work.ben))

        assert note.status_code == 401, note.text
        assert sent.status_code == 401, sent.text
        assert work.served.meta.sent == []
        assert not [one for one in (await work.sue.seen("message")).values() if one["direction"] == "note"]


async def test_a_body_held_back_until_its_key_is_revoked_sends_nothing(tmp_path: Path) -> None:
    """The same of a program's message and of files, whole and in pieces: neither Meta nor the archive hears of them."""
    async with floor(tmp_path) as work:
        wanted = {"name": "Desk", "numbers": [NUMBER], "permissions": ["message.send", "media.send"]}
        answers: list[httpx.Response] = []
        for path, body, kind in (("messages", encode(TEXT), ""), ("media", FORM, f"multipart/form-data; boundary={BOUNDARY}")):
            made = (await work.admin.post("/v1/integrations", wanted)).json()
            headers = {"Authorization": f"Bearer {made['key']}"} | ({"Content-Type": kind} if kind else {})
            revoked = f"/v1/integrations/{made['id']}/revoke"
            drip = _drip(body, lambda revoked=revoked: work.admin.post(revoked, {}))
            answers.append(await work.served.http.post(f"/v26.0/{NUMBER}/{path}", content=drip, headers=headers))
        lost = work.ann.headers | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        drip = _drip(FORM, lambda: _revoke(work, work.ann))
        answers.append(await work.served.http.post(f"/v26.0/{NUMBER}/media", content=drip, headers=lost))
        drip = _drip(encode({"upload": "a" * 32}), lambda: _revoke(work, work.ben))
        json = work.ben.headers | {"Content-Type": "application/json"}
        answers.append(await work.served.http.post(f"/v26.0/{NUMBER}/media", content=drip, headers=json))

        told = [(one.status_code, one.json()["error"]["code"]) for one in answers]
        assert told == [(401, 190)] * 4
        assert (work.served.meta.sent, work.served.meta.files) == ([], {})
        assert not [one for one in (await work.sue.seen("message")).values() if one["direction"] == "outgoing"]


async def test_a_body_held_back_until_its_person_has_another_role_does_what_that_role_may(tmp_path: Path) -> None:
    """The role at the end of the body counts."""
    async with floor(tmp_path) as work:

        async def demote() -> None:
            answer = await work.admin.post(f"/v1/people/{work.sue.reply.person}", {"role": "auditor"})
            assert answer.status_code == 200, answer.text

        kept = await _held_back(work.sue, "/v1/canned", {"shortcut": "hi", "text": "Hi"}, demote)

        assert refusal(kept) == (403, "forbidden")


async def test_a_stream_that_opens_as_its_device_is_revoked_ends(tmp_path: Path) -> None:
    """A device revoked between the look at its token and the opening of its stream is told so, and is told nothing after it."""
    async with floor(tmp_path) as work:
        await _revoke(work, work.ann)
        viewer, sent, gone = Viewer(work.ann.reply.person, "agent", work.ann.reply.device), list[bytes](), asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message.get("body", b""))

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async with asyncio.timeout(30):
            await work.served.hub.feed.stream(viewer, 0, receive, send)  # type: ignore[arg-type] as ASGI's own

        assert b"event: revoked" in b"".join(sent)
        assert b"event: changes" not in b"".join(sent)


async def test_a_change_of_fields_answers_what_the_feed_shows(tmp_path: Path) -> None:
    """The customer's own number among a contact's fields is masked in the answer too."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        contact = (await work.ann.seen("conversation"))[conversation]["contact"]
        answers = [
            await work.ann.post(f"/v1/contacts/{contact}/fields", {"fields": fields}) for fields in ({"Reach at": "+44 7700 900123"}, {})
        ]

        shown = (await work.ann.seen("contact"))[contact]
        assert "900123" not in str(shown["fields"])
        assert [answer.json() for answer in answers] == [shown, shown]


async def test_nobody_sends_a_file_they_may_not_see(tmp_path: Path) -> None:
    """The id of somebody else's upload, or of a customer's file out of sight, is no way to read the file."""
    async with floor(tmp_path) as work:
        await work.chat()
        files = {"messaging_product": (None, "whatsapp"), "file": ("a.jpg", b"\xff\xd8\xff" + b"x" * 50, "image/jpeg")}
        up = await work.served.http.post(f"/v26.0/{NUMBER}/media", files=files, headers=work.ben.headers)
        assert up.status_code == 200, up.text
        image = {"messaging_product": "whatsapp", "to": "447700900123", "type": "image", "image": {"id": up.json()["id"]}}

        refused = await work.ann.send(image, key="ann")
        sent = await work.ben.send(image, key="ben")
        passed_on = await work.ann.send(image, key="ann-2")

        assert (refused.status_code, refused.json()["error"]["error_data"]["wabiz_code"]) == (400, "unknown_media")
        assert sent.status_code == 200, sent.text
        assert passed_on.status_code == 200, passed_on.text


async def test_a_device_may_ask_the_gateway_and_the_stream_no_oftener_than_anything_else(tmp_path: Path) -> None:
    """One bucket for all that a device asks, whichever door."""
    async with floor(tmp_path) as work:
        rates, name = work.served.hub.rates.devices, work.ann.reply.device
        for _ in range(2000):
            rates.take(name)

        sent = await work.ann.send(TEXT)
        stream = await work.ann.get("/v1/changes/stream")
        other = await work.ben.get("/v1/me")

        assert sent.json()["error"]["error_data"]["wabiz_code"] == "rate_limited"
        assert (stream.status_code, other.status_code) == (429, 200)
        assert sent.headers["Retry-After"]
        assert stream.headers["Retry-After"]


async def test_a_snooze_to_the_end_of_time_is_refused_in_words(tmp_path: Path) -> None:
    """An instant that no other zone has is no fault of the hub's."""
    async with floor(tmp_path) as work:
        path = f"/v1/conversations/{await work.chat()}/status"
        answers = [
            await work.ann.post(path, {"status": "snoozed", "until": until})
            for until in ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59")
        ]

        assert [answer.status_code for answer in answers] == [400, 400, 400], [answer.text for answer in answers]
