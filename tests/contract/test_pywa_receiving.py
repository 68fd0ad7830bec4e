"""A bot on pywa's own server, with signature checking on, hears everything the simulator tells."""

import hashlib
import queue
from collections.abc import Iterator
from typing import Any

import pytest
from pywa.errors import MediaUploadError, MessageUndeliverable, ReEngagementMessage, WhatsAppError

from tests.support.pywa_bot import Bot, pywa_async_bot, pywa_bot
from tests.support.pywa_updates import NAME, PHONE, TELLINGS, USER_ID, Telling
from tests.support.simulator_process import APP_SECRET, NUMBER, PATIENCE, VERIFY, WABA, SimulatorProcess, simulator_process

KINDS = ("image", "video", "audio", "document", "sticker")
STATES = ("sent", "delivered", "read")


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with simulator_process(statuses=False) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def served(simulator: SimulatorProcess) -> Iterator[Bot]:
    with pywa_bot(simulator) as bot:
        known = simulator.control("callback", url=bot.url, app_secret=APP_SECRET, verify_token=VERIFY)
        assert known["verified"], "pywa refused the handshake"
        yield bot


@pytest.fixture
def bot(served: Bot) -> Iterator[Bot]:
    """A bot that ends with nothing unheard and nothing to complain of."""
    yield served
    complaints, served.complaints.told = served.complaints.told, []
    assert complaints == []
    assert served.heard.empty()


def look(update: Any, path: str) -> Any:
    """A dotted attribute; pywa's enumerations are text."""
    for name in path.split("."):
        update = getattr(update, name)
    return update


@pytest.mark.parametrize("telling", TELLINGS, ids=str)
def test_update_arrives_as_pywas_type(simulator: SimulatorProcess, bot: Bot, telling: Telling) -> None:
    """Each kind of webhook passes the signature check and reaches the handler pywa has for it, whole."""
    told = simulator.control("inbound", **telling.asked)

    heard_as, update = bot.hear()
    assert (told["delivered"], heard_as) == (True, telling.heard_as)
    assert {path: look(update, path) for path in telling.fields} == telling.fields
    if told["wamid"] is not None:
        assert (update.id, update.metadata.phone_number_id, update.waba_id) == (told["wamid"], NUMBER, WABA)


def test_sender_is_known_by_every_identity(simulator: SimulatorProcess, bot: Bot) -> None:
    """Phone, BSUID, parent BSUID, name and username reach pywa's user."""
    asked = {"from": "5521912345678", "user_id": "BR.77", "parent_user_id": "BR.ENT.9", "name": "Rui", "username": "@rui"}
    simulator.control("inbound", **asked, text="Oi")

    _, message = bot.hear()

    user = message.from_user
    assert (user.wa_id, user.bsuid, user.parent_bsuid, user.name, user.username) == ("5521912345678", "BR.77", "BR.ENT.9", "Rui", "@rui")


def test_hidden_phone_number_leaves_the_user_id(simulator: SimulatorProcess, bot: Bot) -> None:
    """A customer who hides their number is answered by BSUID."""
    simulator.control("inbound", **{"from": "5521900000001"}, user_id="BR.78", hide_phone=True, text="Oi")
    _, message = bot.hear()
    assert (message.from_user.wa_id, message.from_user.bsuid) == (None, "BR.78")

    sent = message.reply("Oi!")

    assert simulator.sent(sent.id)["body"]["recipient"] == "BR.78"


@pytest.mark.parametrize("kind", KINDS)
def test_media_arrives_and_is_fetched(simulator: SimulatorProcess, bot: Bot, kind: str) -> None:
    """A customer's file has type and hash, and its id brings the bytes the hash was made of."""
    simulator.control("inbound", **{"from": PHONE, "name": NAME, "user_id": USER_ID, "type": kind})

    _, message = bot.hear()

    media = message.media
    assert message.type == kind
    content = media.get_bytes()
    assert media.sha256 in (hashlib.sha256(content).hexdigest(), _base64_hash(content))
    assert bot.client.get_media_url(media.id).mime_type == media.mime_type


def _base64_hash(content: bytes) -> str:
    import base64

    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_statuses_come_with_tracker_and_price(simulator: SimulatorProcess, bot: Bot) -> None:
    """A send's statuses arrive as pywa's statuses: each once, with the tracker the send had, and the price where Meta tells it."""
    simulator.meet(PHONE, user_id=USER_ID, wait=True)
    bot.hear()
    simulator.control("settings", statuses=True)

    sent = bot.client.send_message(PHONE, "Hi", tracker="outbox-42")
    statuses = [bot.hear() for _ in STATES]
    simulator.control("settings", statuses=False)

    assert {heard_as for heard_as, _ in statuses} == {"message_status"}
    by_state = {str(status.status): status for _, status in statuses}
    assert set(by_state) == set(STATES)
    assert {(status.id, status.tracker, status.from_user.bsuid) for status in by_state.values()} == {(sent.id, "outbox-42", USER_ID)}
    assert (by_state["sent"].pricing.model, by_state["sent"].pricing.category) == ("PMP", "service")


@pytest.mark.parametrize("state", [*STATES, "played"])
def test_status_arrives_on_demand(simulator: SimulatorProcess, bot: Bot, state: str) -> None:
    """A status asked of the control endpoint is heard as that state of that message."""
    simulator.meet(PHONE, user_id=USER_ID, wait=True)
    bot.hear()
    sent = bot.client.send_message(PHONE, "Hi")

    simulator.control("status", wamid=sent.id, status=state)

    heard_as, status = bot.hear()
    assert (heard_as, status.id, status.status) == ("message_status", sent.id, state)


@pytest.mark.parametrize(
    ("code", "error"), [(131026, MessageUndeliverable), (131047, ReEngagementMessage), (131053, MediaUploadError), (999999, WhatsAppError)]
)
def test_failure_arrives_as_pywas_error(simulator: SimulatorProcess, bot: Bot, code: int, error: type[WhatsAppError]) -> None:
    """A failed status carries the code as the class pywa has for it, and for an unknown code as its general one."""
    simulator.meet(PHONE, user_id=USER_ID, wait=True)
    bot.hear()
    sent = bot.client.send_message(PHONE, "Hi")

    simulator.control("status", wamid=sent.id, status="failed", error_code=code)

    heard_as, status = bot.hear()
    assert (heard_as, status.id, status.status, type(status.error), status.error.code) == (
        "message_status",
        sent.id,
        "failed",
        error,
        code,
    )


def test_bot_and_customer_talk(simulator: SimulatorProcess, bot: Bot) -> None:
    """The bot quotes what a customer wrote, and the customer's answer quotes the bot."""
    asked = simulator.control("inbound", **{"from": PHONE, "name": NAME, "user_id": USER_ID}, text="Are you open?")
    _, question = bot.hear()

    answer = question.reply(f"You said: {question.text}", quote=True)
    question.mark_as_read()
    simulator.control("inbound", **{"from": PHONE, "user_id": USER_ID}, text="Thanks", reply_to=answer.id)

    _, thanks = bot.hear()
    body = simulator.sent(answer.id)["body"]
    assert (body["text"]["body"], body["context"]) == ("You said: Are you open?", {"message_id": asked["wamid"]})
    assert (thanks.text, thanks.reply_to_message.id) == ("Thanks", answer.id)
    assert asked["wamid"] in [read["message_id"] for read in simulator.ask("reads")["reads"]]


@pytest.mark.parametrize(("fault", "answer", "complaint"), [("bad_signature", 403, "unmatching"), ("missing_signature", 401, "without")])
def test_wrong_signature_is_refused_and_the_redelivery_heard(
    simulator: SimulatorProcess, bot: Bot, fault: str, answer: int, complaint: str
) -> None:
    """pywa refuses a body that is not signed by the app secret; the same body, signed well, comes again and is heard once."""
    simulator.control("fault", kind=fault)

    told = simulator.control("inbound", **{"from": PHONE, "user_id": USER_ID}, text="Signed?")

    _, message = bot.hear()
    assert (message.id, message.text) == (told["wamid"], "Signed?")
    (delivery,) = [one for one in simulator.ask("deliveries")["deliveries"] if told["wamid"] in one["ids"]]
    assert delivery["answers"] == [answer, 200]
    refusal = bot.complaints.told.pop()
    assert complaint in refusal


def test_repeated_webhook_is_heard_once(simulator: SimulatorProcess, bot: Bot) -> None:
    """Meta's duplicates are byte for byte the same: pywa, that goes by their hash, lets one through."""
    simulator.control("fault", kind="duplicate", copies=2)

    told = simulator.control("inbound", **{"from": PHONE, "user_id": USER_ID}, text="Once")

    _, message = bot.hear()
    assert message.id == told["wamid"]
    simulator.control("inbound", **{"from": PHONE, "user_id": USER_ID}, text="After")
    assert bot.hear()[1].text == "After"


def test_wrong_verify_token_is_refused(simulator: SimulatorProcess, bot: Bot) -> None:
    """The handshake fails where the token is another; nothing is told until it passes."""
    wrong = simulator.control("callback", url=bot.url, verify_token="another", timeout=0.5)
    right = simulator.control("callback", url=bot.url, verify_token=VERIFY)

    assert (wrong["verified"], right["verified"]) == (False, True)
    refusals, bot.complaints.told = bot.complaints.told, []
    assert refusals
    assert all("verify token" in refusal for refusal in refusals)


def test_async_bot_hears_and_answers(simulator: SimulatorProcess, served: Bot) -> None:
    """pywa_async checks the signature, hears message and failure, and answers from within its handler."""
    with pywa_async_bot(simulator) as bot:
        answers: queue.Queue[Any] = queue.Queue()

        @bot.client.on_message(priority=1)
        async def answer(_: Any, message: Any) -> None:
            answers.put(await message.reply(f"You said: {message.text}", quote=True))

        try:
            assert simulator.control("callback", url=bot.url, app_secret=APP_SECRET, verify_token=VERIFY)["verified"]
            told = simulator.control("inbound", **{"from": PHONE, "name": NAME, "user_id": USER_ID}, text="Open?")
            sent = answers.get(timeout=PATIENCE)
            simulator.control("status", wamid=sent.id, status="failed", error_code=131026)
            heard_as, status = bot.hear()
            simulator.control("fault", kind="bad_signature")
            simulator.control("inbound", **{"from": PHONE, "user_id": USER_ID}, text="Signed?")
            again = answers.get(timeout=PATIENCE)
        finally:
            simulator.control("callback", url=served.url, app_secret=APP_SECRET, verify_token=VERIFY)

        assert simulator.sent(sent.id)["body"]["context"] == {"message_id": told["wamid"]}
        assert (heard_as, type(status.error)) == ("message_status", MessageUndeliverable)
        assert simulator.sent(again.id)["body"]["text"]["body"] == "You said: Signed?"
        assert ["unmatching" in complaint for complaint in bot.complaints.told] == [True]
    served.complaints.told.clear()
