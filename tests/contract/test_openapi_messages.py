"""Sends and webhooks, ours and others', against the schemas of Meta's OpenAPI file."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.openapi import OpenAPI
from tests.support.openapi_messages import SENDS, WEBHOOKS
from tests.support.pywa_client import pywa_client
from tests.support.pywa_sends import SENDINGS, Chat
from tests.support.pywa_updates import PHONE, TELLINGS
from tests.support.simulator_process import SimulatorProcess, simulator_process
from wabiz_tui.graph.requests import build_message, build_read, parse_send

pytestmark = pytest.mark.shared

Bodies = list[tuple[str, Any]]
ROWS = [*SENDS, *WEBHOOKS]
MESSAGES, TELLS = "/{Version}/{Phone-Number-ID}/messages", "/whatsapp/webhooks"
STATES = ("sent", "delivered", "read", "played", "failed")
SLIPS = {
    "the file: Send Multi-Product Message": "the header's type is a placeholder in angle brackets",
    "the file: Send Sample Issue Resolution Template": "the payloads of two buttons, written as texts, became truth values",
}
"""Examples of Meta's that no reading of the rules allows."""
NO_SCHEMA = {
    "account_update", "calls", "message_template_components_update", "message_template_quality_update",
    "message_template_status_update", "smb_message_echoes", "template_category_update", "user_preferences",
}  # fmt: skip
"""Fields the simulator tells that the file has no schema for: it knows `messages` and the groups' alone."""


@pytest.fixture(scope="module")
def judge() -> OpenAPI:
    return OpenAPI(ROWS)


@pytest.fixture(scope="module")
def simulator(judge: OpenAPI) -> Iterator[SimulatorProcess]:
    """Not started where the file is absent."""
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def sends(judge: OpenAPI, simulator: SimulatorProcess) -> Bodies:
    """Meta's examples, what pywa sends, and the same contents as our builders write them."""
    with pywa_client(simulator.url) as wa:
        chat = Chat("4915730000077", simulator.meet("4915730000077"))
        records = [(sending.name, simulator.sent(sending.send(wa, chat).id)["body"]) for sending in SENDINGS]
    ours = [(f"ours: {name}", _built_again(body)) for name, body in records]
    reads = [(f"ours: read, typing {typing}", build_read(chat.incoming, typing=typing)) for typing in (False, True)]
    return [*_examples(judge, MESSAGES), *((f"pywa: {name}", body) for name, body in records), *ours, *reads]


@pytest.fixture(scope="module")
def webhooks(judge: OpenAPI, simulator: SimulatorProcess) -> Bodies:
    """Meta's examples, and everything the simulator tells: messages, changes, statuses; customers hidden and nameless too."""
    for telling in TELLINGS:
        simulator.control("inbound", **telling.asked, wait=False)
    for kind in ("image", "video", "audio", "document", "sticker"):
        simulator.control("inbound", **{"from": PHONE, "type": kind, "wait": False})
    simulator.control("inbound", user_id="BR.9", text="Oi", wait=False)
    hidden = simulator.graph(
        "POST", "106540352242922/messages", json={"messaging_product": "whatsapp", "recipient": "BR.9", "text": {"body": "Oi"}}
    )
    for state in STATES:
        simulator.control("status", wamid="wamid.X", to=PHONE, status=state, wait=False)
        simulator.control("status", wamid=hidden.json()["messages"][0]["id"], status=state, wait=False)
    told = simulator.ask("deliveries", body="1")["deliveries"]
    bodies = [one["body"] if isinstance(one["body"], dict) else json.loads(one["body"]) for one in told]
    return [*_examples(judge, TELLS), *((f"told {index}", body) for index, body in enumerate(bodies))]


def _examples(judge: OpenAPI, path: str) -> Bodies:
    examples = judge.document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    return [(f"the file: {name}", example["value"]) for name, example in examples.items()]


def _built_again(body: dict[str, Any]) -> dict[str, Any]:
    asked = parse_send(json.dumps(body).encode())
    return build_message(asked.content, to=asked.to, reply_to=asked.reply_to, callback_data=asked.callback_data)


def test_every_send_fits_the_schema(judge: OpenAPI, sends: Bodies) -> None:
    """Everything sent is a message by Meta's schema, but for the contradictions listed, and Meta's own slips."""
    found = {name: errors for name, body in sends if (errors := judge.errors(judge.request("POST", MESSAGES), body))}

    assert {name: errors for name, errors in found.items() if name not in SLIPS} == {}
    assert set(found) == set(SLIPS)


def test_every_webhook_fits_the_schema(judge: OpenAPI, webhooks: Bodies) -> None:
    """Every webhook on `messages` is one by Meta's schema; the other fields told are those the file has no schema for."""
    fields = {change["field"] for _, body in webhooks for entry in body["entry"] for change in entry["changes"]}
    assert fields - {"messages"} <= NO_SCHEMA | {"group_lifecycle_update", "group_settings_update"}

    found = {name: errors for name, body in _on_messages(webhooks) if (errors := judge.errors(judge.request("POST", TELLS), body))}

    assert found == {}


def _on_messages(webhooks: Bodies) -> Bodies:
    return [(name, body) for name, body in webhooks if body["entry"][0]["changes"][0]["field"] == "messages"]


def test_every_contradiction_still_occurs(judge: OpenAPI, sends: Bodies, webhooks: Bodies) -> None:
    """Without any one of the rows something that is sent or told would not fit: the list holds nothing that is no contradiction."""
    pairs = [(judge.request("POST", MESSAGES), body) for _, body in sends]
    pairs += [(judge.request("POST", TELLS), body) for _, body in _on_messages(webhooks)]

    assert [str(ROWS[index]) for index in judge.idle(pairs)] == []
