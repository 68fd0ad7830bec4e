"""Meta's own examples, posted to a running hub as Meta would, and read on an agent's machine."""

import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.road import FIXTURES, Road

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FIXTURES.is_dir() and not os.environ.get("CI"), reason="Meta's fixtures do not stand beside this checkout"),
    pytest.mark.xdist_group("real_input"),
]


def _examples() -> dict[str, str]:
    """The files by name. Some of Meta's examples reuse another's wamid, and then only one of them could be new: the later gets one of
    its own."""
    examples: dict[str, str] = {}
    known: set[str] = set()
    for path in sorted(FIXTURES.glob("*.json")):
        text = path.read_text()
        for wamid in _wamids(text) & known:
            text = text.replace(f'"{wamid}"', f'"{wamid}{len(examples)}"')
        known |= _wamids(text)
        examples[path.name] = text
    return examples


def _changes(text: str) -> list[dict[str, Any]]:
    return [change for entry in json.loads(text)["entry"] for change in entry["changes"]]


def _wamids(text: str) -> set[str]:
    return {message["id"] for change in _changes(text) for message in change["value"].get("messages", [])}


@pytest.fixture(scope="module")
def stage() -> Iterator[Road]:
    """Every example posted three times, in an order that a seed mixes."""
    with Road(keep=False, seed=1, scenario=None) as opened:
        opened.agent = opened.person(opened.seat("admin", opened.admin_code), "Robin", "agent")
        posts = list(_examples().items()) * 3
        random.Random(20).shuffle(posts)
        for name, text in posts:
            assert opened.post_webhook(text.encode()) == 200, name
        opened.agent.run("sync")
        yield opened


def _messages(stage: Road) -> list[dict[str, Any]]:
    return [message for row in stage.agent.records("conversations") for message in stage.agent.records("messages", row["id"])]


def test_every_message_is_archived_once_and_shown_whole(stage: Road) -> None:
    """Each example message appears exactly once on the agent's machine, with its kind, its time and every value Meta gave."""
    examples, shown = _examples(), _messages(stage)
    assert examples
    for name, text in examples.items():
        for change in _changes(text):
            for message in change["value"].get("messages", []):
                found = [row for row in shown if row["wamid"] == message["id"]]
                assert len(found) == 1, (name, len(found))
                assert found[0]["direction"] == "incoming"
                assert found[0]["kind"] == message["type"], name
                _holds_all(found[0], message.get(message["type"], {}), name)


def _holds_all(shown: dict[str, Any], original: Any, name: str) -> None:
    """Every leaf value of the original object stands somewhere in what is shown."""
    text = json.dumps(shown, ensure_ascii=False)
    for leaf in _leaves(original):
        # Numbers inside a system message's sentence are masked by the default policy; what stands around them is told.
        for part in MASKED.split(leaf) if name == "system-message.json" else [leaf]:
            assert part in text, (name, leaf)


MASKED = re.compile(r"\d{7,}")


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [json.dumps(value, ensure_ascii=False).strip('"')] if value not in ("", None) else []


def test_every_other_event_is_listed_once(stage: Road) -> None:
    """Each example that is no message is listed by `wabiz events` exactly once, with its field and its value but for customers' numbers."""
    events = stage.agent.records("events")
    for name, text in _examples().items():
        for change in _changes(text):
            if change["field"] != "messages":
                found = [row for row in events if row["field"] == change["field"] and row["value"] == _masked(change["value"])]
                assert len(found) == 1, name


def _masked(value: Any) -> Any:
    return json.loads(re.sub(r'"?1650555123([45])"?', r'"+1 ••••3\1"', json.dumps(value)))


def test_referral_and_quote_are_kept(stage: Road) -> None:
    """The advertisement a chat began with, and the message an answer quotes, are told with the message."""
    shown = json.dumps(_messages(stage))

    assert (
        "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchptiErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50"
        in shown
    )
    assert "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJGMzEyNzhENTZDMzNGODlDRDgA" in shown


def test_the_customer_who_changed_numbers_is_still_one_person(stage: Road) -> None:
    """The number change of Meta's example lands with what its person wrote before, and the old number's later text elsewhere."""
    rows = stage.agent.records("conversations")
    told = {row["id"]: stage.agent.records("messages", row["id"]) for row in rows}
    [changed] = [messages for messages in told.values() if any(message["kind"] == "system" for message in messages)]
    at = next(message["sent_at"] for message in changed if message["kind"] == "system")
    later = [message for messages in told.values() for message in messages if message["sent_at"] > at]
    assert len(changed) + len(later) == sum(map(len, told.values()))
    assert len({row["contact"] for row in rows}) == len(rows) == 1 + bool(later)
