"""Sends to the pretend Meta, over real HTTP."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, WABA, Stage, staged
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.requests import build_text
from wabiz_tui.model.errors import CloudError
from wabiz_tui.model.secret import Secret


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def states(stage: Stage, number: int) -> list[str]:
    await stage.hub.until(lambda: len(stage.hub.values("statuses")) >= number)
    return [status["status"] for status in stage.hub.values("statuses")]


async def test_accepted_then_sent_delivered_read(stage: Stage) -> None:
    """A reply is accepted, and its three statuses are told with the sender's callback data."""
    await stage.write()

    accepted = (await stage.send("Hi", biz_opaque_callback_data="w1:42")).json()

    assert set(await states(stage, 3)) == {"sent", "delivered", "read"}
    assert {status["biz_opaque_callback_data"] for status in stage.hub.values("statuses")} == {"w1:42"}
    (row,) = (await stage.ask("sent"))["sent"]
    assert (row["wamid"], row["wa_id"], row["text"]) == (accepted["messages"][0]["id"], CUSTOMER, "Hi")
    assert all(stage.hub.signed())


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({}, 400, 2500), ({"Authorization": "Bearer wrong"}, 401, 190), ({"Authorization": "Basic x"}, 400, 2500)],
)
async def test_tokens(stage: Stage, headers: dict[str, str], status: int, code: int) -> None:
    """Without the token, or with another, nothing is accepted."""
    answer = await stage.http.post(f"/v26.0/{NUMBER}/messages", json={}, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_versions(stage: Stage) -> None:
    """A version that does not exist is an unknown path; an old one, and none, are served."""
    unknown = await stage.http.get(f"/v99.0/{NUMBER}", headers=stage.bearer)

    assert unknown.json()["error"]["message"].startswith("Unknown path components")
    for path in (f"/v17.0/{NUMBER}", f"/{NUMBER}"):
        assert (await stage.http.get(path, headers=stage.bearer)).json()["id"] == NUMBER


async def test_closed_window_fails_later(stage: Stage) -> None:
    """To a customer who wrote more than a day ago, a send is accepted and then fails with 131047."""
    await stage.write()
    await stage.control("clock", advance="25h")

    assert (await stage.send()).status_code == 200
    assert await states(stage, 1) == ["failed"]
    assert stage.hub.values("statuses")[0]["errors"][0]["code"] == 131047


async def test_closed_window_refused_at_once(stage: Stage) -> None:
    """In the other mode the send is refused itself; a customer's new message opens the window again."""
    await stage.control("settings", window="sync")

    refused = await stage.send()
    await stage.write()
    accepted = await stage.send()

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 131047)
    assert accepted.status_code == 200


async def test_window_counts_from_the_messages_time(stage: Stage) -> None:
    """A message told late opens the window only for what is left of its day; a system message opens none."""
    await stage.control("settings", window="sync")
    await stage.write(at="-25h")
    system = {"type": "system", "system": {"type": "user_changed_number", "body": "b", "wa_id": "1"}}
    await stage.control("inbound", **{"from": CUSTOMER, "message": system})

    assert (await stage.send()).status_code == 400
    await stage.write(at="-23h")
    assert (await stage.send()).status_code == 200


async def test_template_needs_no_window(stage: Stage) -> None:
    """An approved template goes at any time; wrong names, states and counts are refused by their codes."""
    language = {"code": "en_US"}
    body = {"type": "template", "text": None}
    template = {"name": "appointment_reminder", "language": {"code": "en"}}
    one = [{"type": "body", "parameters": [{"type": "text", "text": "A"}]}]

    assert (await stage.send(**body, template={"name": "hello_world", "language": language})).json()["messages"][0][
        "message_status"
    ] == "accepted"
    codes = [
        (await stage.send(**body, template=wrong)).json()["error"]["code"]
        for wrong in (
            {"name": "hello_world", "language": {"code": "de"}},
            {"name": "spring_sale", "language": {"code": "en"}},
            {"name": "old_offer", "language": {"code": "en"}},
            {**template, "components": one},
        )
    ]
    assert codes == [132001, 132015, 132016, 132000]


@pytest.mark.parametrize(
    ("to", "wa_id"),
    [
        ("+55 (31) 98765-4321", "553187654321"),
        ("+5511987654321", "5511987654321"),
        ("+525512345678", "5215512345678"),
        ("+541112345678", "5491112345678"),
        ("6505551234", "16505551234"),
        ("16505551234", "16505551234"),
        (CUSTOMER, CUSTOMER),
    ],
)
async def test_spellings_of_numbers(stage: Stage, to: str, wa_id: str) -> None:
    """The answer repeats the number as it was written, and names it as WhatsApp spells it."""
    await stage.write()

    (contact,) = (await stage.send(to=to)).json()["contacts"]

    assert contact == {"input": to, "wa_id": wa_id}


async def test_either_spelling_is_one_person(stage: Stage) -> None:
    """A customer known without the ninth digit is reached with it, and the window is theirs."""
    await stage.control("settings", window="sync")
    await stage.control("inbound", **{"from": "553187654321", "text": "Oi"})

    assert (await stage.send(to="+5531987654321")).json()["contacts"][0]["wa_id"] == "553187654321"


async def test_send_by_user_id(stage: Stage) -> None:
    """A customer with a hidden phone is reached by the BSUID, and the answer names it; a foreign one is refused."""
    await stage.control("inbound", user_id="BR.77", name="Ana", text="Oi")

    accepted = await stage.send(to=None, recipient="BR.77")

    assert accepted.json()["contacts"] == [{"input": "BR.77", "user_id": "BR.77"}]
    assert "recipient_id" not in (await stage.hub.until(lambda: stage.hub.values("statuses")))[0]
    assert (await stage.send(to=None, recipient="BR.78")).status_code == 400


async def test_unreachable_and_blocked(stage: Stage) -> None:
    """A number that is none fails with 131026, a blocked one with 130403."""
    await stage.write()
    block = {"messaging_product": "whatsapp", "block_users": [{"user": f"+{CUSTOMER}"}]}

    await stage.send(to="+12345")
    await states(stage, 1)
    blocked = await stage.http.post(f"/v26.0/{NUMBER}/block_users", json=block, headers=stage.bearer)
    await stage.send()
    await states(stage, 2)

    assert blocked.json()["block_users"]["added_users"][0]["wa_id"] == CUSTOMER
    assert [status["errors"][0]["code"] for status in stage.hub.values("statuses")] == [131026, 130403]


async def test_pair_rate_and_throughput(stage: Stage) -> None:
    """The forty-sixth message in a row to one person is refused, and so is the number's eighty-first in a second."""
    await stage.write()
    await stage.control("settings", statuses=False)

    pair = [(await stage.send()).json() for _ in range(46)]
    await stage.control("settings", per_second=1)
    await stage.send(to="+447700900001")
    fast = await stage.send(to="+447700900002")

    assert "error" not in pair[44]
    assert pair[45]["error"]["code"] == 131056
    assert (fast.status_code, fast.json()["error"]["code"]) == (400, 130429)


async def test_mark_read(stage: Stage) -> None:
    """Marking read is recorded, and no webhook follows."""
    wamid = (await stage.write())["wamid"]
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}}

    answer = await stage.http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=stage.bearer)

    assert answer.json() == {"success": True}
    assert (await stage.ask("reads"))["reads"][0]["typing"]


async def test_hold_and_release_statuses(stage: Stage) -> None:
    """Held statuses are told when the fault is cleared."""
    await stage.write()
    await stage.control("fault", kind="hold_statuses")
    await stage.send()
    await stage.write("a later message overtakes them")
    held = stage.hub.values("statuses")

    async with asyncio.timeout(60):
        while len((await stage.ask("sent"))["sent"][0]["statuses"]) < 3:
            pass
    await stage.control("fault", kind="clear")

    assert held == []
    assert set(await states(stage, 3)) == {"sent", "delivered", "read"}


async def test_asked_for_errors(stage: Stage) -> None:
    """The next send is refused, or accepted and failed, with the code asked for; then all is well."""
    await stage.write()

    await stage.control("fault", kind="http_error", code=131000, status=503)
    odd = await stage.send()
    await stage.control("fault", kind="fail_next", code=131049, **{"async": True})
    late = await stage.send()
    await states(stage, 1)

    assert (odd.status_code, odd.json()["error"]["code"]) == (503, 131000)
    assert late.status_code == 200
    assert stage.hub.values("statuses")[0]["errors"][0]["code"] == 131049
    assert (await stage.send()).status_code == 200


async def test_expired_token(stage: Stage) -> None:
    """While the token is expired every call says so; cleared, they work."""
    await stage.control("fault", kind="token_expired")
    expired = [(await stage.http.get(f"/v26.0/{NUMBER}", headers=stage.bearer)).json()["error"]["code"] for _ in range(2)]
    await stage.control("fault", kind="clear")

    assert expired == [190, 190]
    assert (await stage.http.get(f"/v26.0/{NUMBER}", headers=stage.bearer)).status_code == 200


@pytest.mark.parametrize(("when", "accepted"), [("before", 0), ("after", 1)])
async def test_cut_connection(stage: Stage, when: str, accepted: int) -> None:
    """A connection cut before or after acceptance looks the same to the sender, and the record tells which it was."""
    await stage.write()
    await stage.control("fault", kind="cut", when=when)

    with pytest.raises(httpx.TransportError):
        await stage.send()

    assert (await stage.ask("sent"))["count"] == accepted
    assert (await stage.send()).status_code == 200


async def test_our_own_client(stage: Stage) -> None:
    """The Cloud API client sends, reads lists and moves files against the pretend Meta."""
    wamid = (await stage.write())["wamid"]
    cloud = CloudClient(transport := Transport(stage.url, Secret("test_token")))
    try:
        accepted = await cloud.send(NUMBER, build_text(to=CUSTOMER, body="Hi"))
        await cloud.mark_read(NUMBER, wamid, typing=True)
        media = await cloud.upload_media(NUMBER, b"%PDF-1.4 x", "application/pdf", "a.pdf")
        content = b"".join([chunk async for chunk in cloud.download_media(media, number=NUMBER)])
        await cloud.media.delete(media)
        await cloud.accounts.subscribe(WABA)
        await cloud.users.block(NUMBER, [f"+{CUSTOMER}"])

        assert accepted.wa_id == CUSTOMER
        assert content == b"%PDF-1.4 x"
        assert (await cloud.numbers.info(NUMBER))["id"] == NUMBER
        assert [number["id"] async for number in cloud.numbers.list(WABA)] == [NUMBER]
        assert len([template async for template in cloud.templates.list(WABA)]) == 11
        with pytest.raises(CloudError) as gone:
            await cloud.media.info(media)
        assert gone.value.graph_code == 100
    finally:
        await transport.close()


async def test_upload_is_judged_by_content(stage: Stage) -> None:
    """A file that is not what it says, and a type that is not accepted, are refused with 131053."""
    cloud = CloudClient(transport := Transport(stage.url, Secret("test_token")))
    try:
        for content, mime_type in ((b"\x89PNG\r\n\x1a\n", "image/jpeg"), (b"PK", "application/zip"), (b"", "text/plain")):
            with pytest.raises(CloudError) as refusal:
                await cloud.upload_media(NUMBER, content, mime_type, "x")
            assert refusal.value.graph_code == 131053
    finally:
        await transport.close()


async def test_media_failure_then_recovery(stage: Stage) -> None:
    """A download that fails n times works after that."""
    media = (await stage.control("media", base64="aGVsbG8=", mime="text/plain"))["id"]
    await stage.control("fault", kind="media_fail", count=1)
    cloud = CloudClient(transport := Transport(stage.url, Secret("test_token")))
    try:
        with pytest.raises(CloudError):
            _ = [chunk async for chunk in cloud.download_media(media)]
        assert b"".join([chunk async for chunk in cloud.download_media(media)]) == b"hello"
    finally:
        await transport.close()


async def test_templates_are_paged(stage: Stage) -> None:
    """A list longer than a page is read to its end, by cursors."""
    first = (await stage.http.get(f"/v26.0/{WABA}/message_templates?limit=4", headers=stage.bearer)).json()

    assert len(first["data"]) == 4
    assert "next" in first["paging"]
    cut = (await stage.http.get(f"/v26.0/{WABA}/message_templates?limit=0", headers=stage.bearer)).json()
    assert cut["error"]["code"] == 100
