"""Meta's own examples, posted to a running hub by strangers: in any order, again and again, archived once, nothing lost."""

import asyncio
import json
import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import served_hub

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "meta-webhooks"

pytestmark = pytest.mark.shared


def fixtures() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(FIXTURES.glob("*.json"))]


@pytest.fixture
def examples() -> list[tuple[str, bytes]]:
    if not FIXTURES.is_dir() and not os.environ.get("CI"):
        pytest.skip("Meta's fixtures are not beside this checkout (../shared/fixtures)")
    found = fixtures()
    assert found, "Meta's fixtures are missing"
    return found


def told(raw: bytes) -> tuple[list[dict[str, Any]], list[tuple[str, Any]]]:
    """The messages and the other changes of an example."""
    messages: list[dict[str, Any]] = []
    others: list[tuple[str, Any]] = []
    for entry in json.loads(raw)["entry"]:
        for change in entry["changes"]:
            if change["field"] == "messages":
                messages += change["value"].get("messages", [])
            else:
                others.append((change["field"], change["value"]))
    return messages, others


def without_shared_wamids(examples: list[tuple[str, bytes]]) -> list[list[tuple[str, bytes]]]:
    """Some of Meta's examples share a wamid: those go to separate hubs."""
    hubs: list[tuple[set[str], list[tuple[str, bytes]]]] = []
    for name, raw in examples:
        wamids = {message["id"] for message in told(raw)[0]}
        for taken, group in hubs:
            if not wamids & taken:
                taken.update(wamids)
                group.append((name, raw))
                break
        else:
            hubs.append((wamids, [(name, raw)]))
    return [group for _, group in hubs]


def masked(value: Any) -> Any:
    """The example as an agent may see it: everything but the customers' numbers."""
    return json.loads(re.sub(r'"?1650555123([45])"?', r'"+1 ••••3\1"', json.dumps(value)))


@pytest.mark.parametrize(("seed", "waba_id"), [(1, "419561257915477"), (2, "999000111222333")])
async def test_every_example_is_archived_once(tmp_path: Path, examples: list[tuple[str, bytes]], seed: int, waba_id: str) -> None:
    """Posted thrice, shuffled and at the same time, each example answers 200 and is in the feed exactly once, whole."""
    chance = random.Random(seed)
    for index, group in enumerate(without_shared_wamids(examples)):
        home = tmp_path / f"home {index}"
        home.mkdir()
        async with served_hub(home, waba_id=waba_id) as served:
            posts = [raw for _, raw in group for _ in range(3)]
            chance.shuffle(posts)

            responses = await asyncio.gather(*(served.post_webhook(raw) for raw in posts))
            await served.folded()

            assert {response.status_code for response in responses} == {200}
            agent = await served.person(await served.admin(), "Agent", "agent")
            messages, events = await agent.seen("message"), await agent.seen("event")
            expected = [message for _, raw in group for message in told(raw)[0]]
            others = [change for _, raw in group for change in told(raw)[1]]
            assert Counter(message["wamid"] for message in messages.values()) == Counter(message["id"] for message in expected)
            kinds = {message["id"]: message["type"] for message in expected}
            assert {message["wamid"]: message["content"]["kind"] for message in messages.values()} == kinds
            assert Counter(event["field"] for event in events.values()) == Counter(field for field, _ in others)
            for field, value in others:
                assert masked(value) in [event["value"] for event in events.values() if event["field"] == field]
            quarantined = served.hub.metrics.quarantined._value.get()
            assert quarantined == 0


async def test_the_words_of_the_examples_arrive(tmp_path: Path, examples: list[tuple[str, bytes]]) -> None:
    """The text, the list answer and the advertisement of Meta's examples are readable in the feed under Meta's own names."""
    by_name = dict(examples)
    async with served_hub(tmp_path) as served:
        for name in ("text-message.json", "interactive-list-reply-message.json", "text-message-from-click-to-whatsapp-ad.json"):
            assert (await served.post_webhook(by_name[name])).status_code == 200
        await served.folded()
        agent = await served.person(await served.admin(), "Agent", "agent")

        contents = {message["content"]["kind"]: message for message in (await agent.seen("message")).values() if "referral" not in message}
        referred = [message for message in (await agent.seen("message")).values() if "referral" in message]

        assert contents["text"]["content"]["body"] == "Does it come in another color?"
        assert contents["interactive"]["content"]["list_reply"]["title"] == "Priority Mail Express"
        assert referred[0]["referral"]["source_id"] == "120226305854810726"
        [conversation] = (await agent.seen("conversation")).values()
        assert conversation["unread"] == 3
        assert conversation["name"] == "Sheena Nelson"
