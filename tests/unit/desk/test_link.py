"""Enrolment and the link: the device proves itself over real HTTP, and tells refusals apart from silence."""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_hub import NUMBER, FakeHub, meta_refusal
from tests.support.desk_samples import conversation, ident, message
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import Enrolment, enroll, find_enrolment, get_enrolment, open_bundle, open_link, request_as_device
from wabiz_tui.desk.link.line import check_url
from wabiz_tui.desk.link.link import Link
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import (
    BadInput,
    BadSignature,
    CloudError,
    Conflict,
    Denied,
    NoKeyStore,
    NotFound,
    Revoked,
    Unreachable,
    UsageError,
)
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Assignment, WhoAmI
from wabiz_tui.model.work import Presence
from wabiz_tui.proof.enrolment import build_code

PASSPHRASE = Secret("correct horse")
CONFIG = Config(keys=Keys(order=("passphrase",)))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


@pytest.fixture
async def enrolment(hub: FakeHub, paths: Paths) -> Enrolment:
    return await enroll(hub.url, hub.code(), paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())


async def connect(hub: FakeHub, paths: Paths, clock: SystemClock) -> Link:
    made = get_enrolment(paths)
    bundle = await open_bundle(made, paths=paths, config=CONFIG, passphrase=PASSPHRASE, now=clock.now())
    return open_link(hub.url, made.device, made.tenant, bundle.seed, DeskClock(clock), config=CONFIG, paths=paths)


@pytest.fixture
async def link(hub: FakeHub, paths: Paths, enrolment: Enrolment) -> AsyncIterator[Link]:
    opened = await connect(hub, paths, SystemClock())
    yield opened
    await opened.close()


async def test_an_enrolled_device_is_known_to_the_hub(hub: FakeHub, enrolment: Enrolment, link: Link, paths: Paths) -> None:
    """After the code is spent the device's key opens the hub's doors, and the record of it holds no secret."""
    me = await link.me()

    assert me.device == enrolment.device in hub.devices
    assert find_enrolment(paths) == enrolment
    bundle = await open_bundle(enrolment, paths=paths, config=CONFIG, passphrase=PASSPHRASE, now=hub.now())
    for file in paths.data.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert bundle.local.reveal() not in file.read_bytes()


async def test_a_second_enrolment_is_refused(hub: FakeHub, paths: Paths, enrolment: Enrolment) -> None:
    """A machine that is a device already keeps what it is, and its code stays good."""
    code = hub.code()

    with pytest.raises(Conflict, match="wipe"):
        await enroll(hub.url, code, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())

    assert code in hub.codes


async def test_no_key_store_is_told_before_the_code_is_spent(hub: FakeHub, paths: Paths) -> None:
    """Without a place for the key nothing is asked of the hub, and the sentence names the way out."""
    code = hub.code()

    with pytest.raises(NoKeyStore, match="--passphrase-fd"):
        await enroll(hub.url, code, paths=paths, config=CONFIG, passphrase=None, clock=SystemClock())

    assert code in hub.codes
    assert find_enrolment(paths) is None


async def test_another_hub_than_the_codes_is_refused(hub: FakeHub, paths: Paths) -> None:
    """A hub with another policy key than the fingerprint in the code gets no device."""
    code = build_code("x" * 32, os.urandom(32))
    hub.codes.add(code)

    with pytest.raises(BadSignature, match="not the one"):
        await enroll(hub.url, code, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())

    assert find_enrolment(paths) is None


async def test_a_spent_code_is_refused_with_the_hubs_sentence(hub: FakeHub, paths: Paths) -> None:
    """What the hub says is what the person reads."""
    with pytest.raises(Denied, match="spent"):
        await enroll(hub.url, build_code("y" * 32, b"k" * 32), paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())


@pytest.mark.parametrize(
    "url", ["http://hub.example.com", "ftp://x", "hub", "https://user@hub", "https://hub:0", "https://hub:99999", "https://h?x=1", ""]
)
def test_addresses_that_would_leak_are_refused(url: str) -> None:
    """Only https, and http to this very machine."""
    with pytest.raises(UsageError):
        check_url(url)


async def test_a_machine_that_is_no_device_is_told_so(paths: Paths) -> None:
    """The sentence names the command."""
    with pytest.raises(Denied, match="wabiz enroll"):
        get_enrolment(paths)
    paths.data.mkdir(parents=True)
    (paths.data / "enrolment.json").write_text("{")
    with pytest.raises(BadInput, match="damaged"):
        get_enrolment(paths)


@pytest.mark.parametrize("ahead", [timedelta(days=15), timedelta(hours=-3)])
async def test_a_wrong_clock_does_not_lock_the_device_out(hub: FakeHub, paths: Paths, enrolment: Enrolment, ahead: timedelta) -> None:
    """The refusal tells the hub's time, and the second assertion is made by it."""
    link = await connect(hub, paths, SystemClock(ahead))

    assert (await link.me()).device == enrolment.device
    await link.close()


async def test_a_token_the_hub_forgot_is_renewed(hub: FakeHub, link: Link) -> None:
    """A restarted hub knows no tokens; the device just proves itself again."""
    await link.me()
    hub.tokens.clear()

    assert (await link.me()).name == "Kim"


async def test_refusals_keep_their_kind(hub: FakeHub, link: Link) -> None:
    """Codes of the wire become the errors of the same name."""
    hub.put(conversation(1, assignee=ident(5)))

    with pytest.raises(Conflict, match="first"):
        await link.assign(ident(1), Assignment(ident(6), expected=ident(7)))
    with pytest.raises(NotFound):
        await link.share(99)


async def test_silence_is_unreachable(hub: FakeHub, link: Link) -> None:
    """A closed port is told as such, naming the hub."""
    await link.me()
    link.hub_url = "http://127.0.0.1:9"

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await link.me()


async def test_a_revoked_device_is_told_so(hub: FakeHub, enrolment: Enrolment, link: Link) -> None:
    """By an answer, and on the stream within moments."""
    await link.me()
    stream = link.stream(hub.head)
    hub.revoke(enrolment.device)

    with pytest.raises(Revoked):
        await anext(stream)
    with pytest.raises(Revoked):
        await link.me()


async def test_the_stream_brings_what_comes_after(hub: FakeHub, link: Link) -> None:
    """Changes arrive as they are made, and only those after the cursor."""
    hub.put(conversation(1))
    stream = link.stream(hub.head)

    hub.put(conversation(2))
    page = await anext(stream)

    assert [change.id for change in page.changes] == [ident(2)]
    assert page.next == hub.head
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue] it is a generator


async def test_presence_comes_by_the_stream_and_never_ends_it(hub: FakeHub, link: Link) -> None:
    """What others do is handed on; a kind of doing that this version does not know is passed over."""
    event = 'event: presence\ndata: {"conversation":"%s","person":"p","name":"Sam","doing":"%s","at":"2026-05-04T12:00:00Z"}\n\n'
    hub.greeting = "".join(event % (ident(1), doing) for doing in ("juggling", "typing")).encode()
    stream = link.stream(hub.head)
    presence = await anext(stream)
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue] it is a generator

    assert isinstance(presence, Presence)
    assert (presence.name, presence.doing) == ("Sam", "typing")


async def test_a_send_is_addressed_by_conversation_and_known_by_its_key(hub: FakeHub, link: Link) -> None:
    """The same key asked twice is one message with one answer, also when the first answer was lost."""
    hub.put(conversation(1))
    hub.hang_up_after_send = 1

    with pytest.raises(Unreachable):
        await link.send_text(ident(1), NUMBER, "hello", key="k1", reply_to="wamid.q")
    accepted = await link.send_text(ident(1), NUMBER, "hello", key="k1", reply_to="wamid.q")

    assert len(hub.sent) == 1
    assert hub.sent[0][1] | {"text": None} == {
        "messaging_product": "whatsapp", "recipient_type": "individual", "recipient": f"conversation:{ident(1)}", "type": "text",
        "text": None, "context": {"message_id": "wamid.q"},
    }  # fmt: skip
    assert accepted.message == hub.message_ids["k1"]
    assert accepted.wamid.startswith("wamid.")


async def test_metas_refusal_comes_through_as_such(hub: FakeHub, link: Link) -> None:
    """The gateway's error keeps Meta's number."""
    hub.refuse_send = lambda _: meta_refusal(131047, "Re-engagement message")

    with pytest.raises(CloudError) as caught:
        await link.send_text(ident(1), NUMBER, "hello", key="k1", reply_to=None)

    assert caught.value.graph_code == 131047


async def test_an_administrators_command_needs_no_desk(hub: FakeHub, paths: Paths, enrolment: Enrolment) -> None:
    """One request with the device's key, opened by the passphrase."""
    raw = await request_as_device("GET", "/v1/me", None, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())

    assert decode(raw, WhoAmI).device == enrolment.device
    with pytest.raises(NoKeyStore):
        await request_as_device("GET", "/v1/me", None, paths=paths, config=CONFIG, passphrase=None, clock=SystemClock())


async def test_media_comes_as_bytes(hub: FakeHub, link: Link) -> None:
    """The file of a message, not its JSON."""
    assert b"".join([piece async for piece in link.media(message(1, 1).id)]) == b"\x89PNG"
    assert b"".join([piece async for piece in link.media(message(1, 1).id, start=2)]) == b"NG"
