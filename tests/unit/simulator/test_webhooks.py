"""The webhooks of the pretend Meta, over real HTTP."""

import json
from collections.abc import AsyncGenerator

import pytest

from tests.support.simulator_stage import APP_SECRET, CUSTOMER, NUMBER, WABA, Hub, Stage, serving, staged
from wabiz_tui.graph.parsed import EchoedMessage, IncomingMessage, OtherEvent, StatusUpdate
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.content import Image, Text


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_inbound_is_signed_and_spelled_as_metas(stage: Stage) -> None:
    """A customer's text arrives signed over compact bytes in which everything beyond ASCII and every slash is escaped."""
    outcome = await stage.write("olá 👍 https://x.y")

    (body,) = stage.hub.bodies
    assert outcome["delivered"]
    assert stage.hub.signed() == [True]
    assert rb"ol\u00e1 \ud83d\udc4d https:\/\/x.y" in body
    assert body.isascii()
    assert b": " not in body
    (message,) = parse(body)
    assert isinstance(message, IncomingMessage)
    assert (message.content, message.wamid) == (Text("olá 👍 https://x.y"), outcome["wamid"])
    assert (message.waba, message.number, message.sender.wa_id, message.sender.name) == (WABA, NUMBER, CUSTOMER, "Zoë")


async def test_handshake_comes_before_the_first_webhook() -> None:
    """Nothing is told before the callback echoed the challenge, which is asked for until it does."""
    async with staged(Hub(refused_handshakes=2)) as stage:
        await stage.write()

        assert len(stage.hub.handshakes) == 3
        assert stage.hub.handshakes[0]["hub.mode"] == "subscribe"
        assert len(stage.hub.bodies) == 1


async def test_whole_post_again_until_200() -> None:
    """Any answer but 200 brings the same bytes again; each attempt is on record."""
    async with staged(Hub(answers=[500, 204, 302])) as stage:
        first = await stage.write()
        await stage.hub.until(lambda: len(stage.hub.bodies) == 4)
        await stage.write("and another")

        assert (first["delivered"], first["status"]) == (False, 500)
        assert len(set(stage.hub.bodies[:4])) == 1
        assert all(stage.hub.signed())
        row = (await stage.ask("deliveries"))["deliveries"][0]
        assert (row["answers"], row["status"], row["attempts"]) == ([500, 204, 302, 200], 200, 4)
        assert row["ids"] == [first["wamid"]]


async def test_hub_that_comes_up_late() -> None:
    """A hub that is not there yet gets what was written as soon as it is."""
    hub = Hub()
    async with staged(hub, hub_url="http://127.0.0.1:1") as stage, serving(hub.app()) as url:
        waiting = await stage.write(wait=False)
        outcome = await stage.control("callback", url=f"{url}/webhooks/whatsapp", verify_token="test_verify")
        await hub.until(lambda: hub.bodies)

        assert waiting["pending"]
        assert outcome["verified"]
        assert hub.signed() == [True]


async def test_wrong_verify_token_gets_nothing(stage: Stage) -> None:
    """A callback that refuses the verify token is not registered."""
    url = stage.world.courier.callback.url  # type: ignore[union-attr]

    outcome = await stage.control("callback", url=url, verify_token="wrong", timeout=0.3)
    written = await stage.write(timeout=0.2)

    assert not outcome["verified"]
    assert not written["delivered"]
    assert stage.hub.bodies == []


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"type": "location", "location": {"latitude": 1, "longitude": 2}}, "location"),
        ({"type": "image", "media": "iVBORw0KGgo=", "mime": "image/png", "text": "look"}, "image"),
        ({"type": "sticker"}, "sticker"),
        ({"message": {"type": "reaction", "reaction": {"message_id": "w", "emoji": "😀"}}}, "reaction"),
        ({"message": {"type": "hologram", "hologram": {}}}, "hologram"),
        ({"text": {"body": "as an object"}}, "text"),
        ({"text": "quoting", "reply_to": "wamid.Q"}, "text"),
        ({"user_id": "BR.77", "hide_phone": True, "username": "@ana"}, "text"),
    ],
)
async def test_inbound_forms(stage: Stage, asked: dict[str, object], kind: str) -> None:
    """All ways to say what a customer writes end in one signed message of that type."""
    await stage.write(**asked)

    (message,) = stage.hub.values("messages")
    assert message["type"] == kind
    assert kind in message
    assert ("from" in message) is not asked.get("hide_phone", False)


async def test_media_can_be_fetched(stage: Stage) -> None:
    """A picture a customer sends is behind its id, for as long as its URL lives."""
    await stage.write(type="image", media="iVBORw0KGgo=", mime="image/png", text="look")
    (parsed,) = parse(stage.hub.bodies[0])
    assert isinstance(parsed, IncomingMessage)
    assert isinstance(parsed.content, Image)

    info = (await stage.http.get(f"/v26.0/{parsed.content.id}", headers=stage.bearer)).json()
    without_token = await stage.http.get(info["url"])
    file = await stage.http.get(info["url"], headers=stage.bearer)
    await stage.control("clock", advance="6m")
    dead = await stage.http.get(info["url"], headers=stage.bearer)
    await stage.control("clock", advance="8d")
    gone = await stage.http.get(f"/v26.0/{parsed.content.id}", headers=stage.bearer)

    assert parsed.content.caption == "look"
    assert file.content == b"\x89PNG\r\n\x1a\n"
    assert (without_token.status_code, dead.status_code, gone.status_code) == (401, 404, 400)


async def test_raw_value_and_raw_webhook(stage: Stage) -> None:
    """Any value under any field, and any whole body, is posted and signed."""
    await stage.control("inbound", value={"event": "PAUSED"}, field="message_template_status_update")
    await stage.control("inbound", webhook={"object": "whatsapp_business_account", "entry": []})

    (event,) = parse(stage.hub.bodies[0])
    assert isinstance(event, OtherEvent)
    assert (event.field, event.waba) == ("message_template_status_update", WABA)
    assert stage.hub.bodies[1] == b'{"object":"whatsapp_business_account","entry":[]}'
    assert stage.hub.signed() == [True, True]


async def test_echo(stage: Stage) -> None:
    """What staff wrote on the phone is told as an echo to the customer."""
    await stage.write("from the phone", echo=True)

    (echo,) = parse(stage.hub.bodies[0])
    assert isinstance(echo, EchoedMessage)
    assert echo.recipient.wa_id == CUSTOMER


async def test_status_by_hand(stage: Stage) -> None:
    """A status of any message can be told, with an error and a time of its own."""
    await stage.control("status", wamid="wamid.X", status="failed", error_code=131026, at="2026-11-22T10:00:00Z")

    (update,) = parse(stage.hub.bodies[0])
    assert isinstance(update, StatusUpdate)
    assert update.error is not None
    assert (update.wamid, update.state, update.error.code, update.at.hour) == ("wamid.X", "failed", 131026, 10)


async def test_same_wamid_again(stage: Stage) -> None:
    """A named wamid is told again under that name."""
    first = await stage.write()
    await stage.write(wamid=first["wamid"])

    assert [message["id"] for message in stage.hub.values("messages")] == [first["wamid"]] * 2


@pytest.mark.parametrize(("kind", "signed"), [("bad_signature", [False, True]), ("missing_signature", [False, True])])
async def test_signature_faults(kind: str, signed: list[bool]) -> None:
    """One attempt is signed wrongly or not at all; when the hub refuses it, it comes again rightly signed."""
    async with staged(Hub(answers=[401])) as stage:
        await stage.control("fault", kind=kind)
        await stage.write()
        await stage.hub.until(lambda: len(stage.hub.bodies) == 2)

        assert stage.hub.signed() == signed
        assert (stage.hub.signatures[0] is None) is (kind == "missing_signature")


async def test_duplicate(stage: Stage) -> None:
    """A duplicated POST comes twice with the same bytes."""
    await stage.control("fault", kind="duplicate")
    await stage.write()
    await stage.hub.until(lambda: len(stage.hub.bodies) == 2)

    assert stage.hub.bodies[0] == stage.hub.bodies[1]


async def test_drop(stage: Stage) -> None:
    """A dropped webhook never comes; the next one does."""
    await stage.control("fault", kind="drop")
    dropped = await stage.write("lost")
    await stage.write("kept")

    assert not dropped["delivered"]
    assert [message["text"]["body"] for message in stage.hub.values("messages")] == ["kept"]


async def test_reorder(stage: Stage) -> None:
    """Reordered webhooks come the last first."""
    await stage.control("fault", kind="reorder", size=3)
    for text in "abc":
        await stage.write(text, wait=False)
    await stage.hub.until(lambda: len(stage.hub.bodies) == 3)

    assert [message["text"]["body"] for message in stage.hub.values("messages")] == ["c", "b", "a"]


async def test_batch(stage: Stage) -> None:
    """Batched webhooks come in one POST."""
    await stage.control("fault", kind="batch", size=3)
    for text in "abc":
        await stage.write(text, wait=False)
    await stage.hub.until(lambda: stage.hub.bodies)

    assert len(stage.hub.bodies) == 1
    assert [message["text"]["body"] for message in stage.hub.values("messages")] == ["a", "b", "c"]


async def test_replay_and_padding(stage: Stage) -> None:
    """A captured POST can be told again, and a body can grow to Meta's largest."""
    await stage.control("fault", kind="pad", bytes=3_000_000)
    await stage.write()
    await stage.control("fault", kind="replay", count=1)
    await stage.hub.until(lambda: len(stage.hub.bodies) == 2)

    assert len(stage.hub.bodies[0]) > 3_000_000
    assert stage.hub.bodies[0] == stage.hub.bodies[1]


async def test_control_refuses_in_a_sentence(stage: Stage) -> None:
    """A wrong request to the hand is refused with a sentence that names what is valid."""
    for name, body in (("fault", {"kind": "flood"}), ("inbound", {}), ("inbound", {"from": "1", "text": 7}), ("clock", {"advance": "-2h"})):
        answer = await stage.http.post(f"/_control/{name}", json=body)
        assert answer.status_code == 400
        assert answer.json()["sentence"]
    assert (await stage.http.post("/_control/inbound", content=b"[")).status_code == 400


async def test_app_secret_is_never_told(stage: Stage) -> None:
    """No answer of the hand holds a secret."""
    for name in ("state", "deliveries?body=1", "sent", "fault"):
        assert APP_SECRET not in json.dumps(await stage.ask(name))
