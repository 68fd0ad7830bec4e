"""Files and templates from the command line, and the outbox, over real processes."""

import json
from pathlib import Path
from typing import Any, cast

from tests.support.road import Road


def test_a_file_and_a_template_are_sent_and_misuse_is_refused(road: Road, tmp_path: Path) -> None:
    """A document reaches Meta with its name and caption, once for one key; a template goes with its values; what cannot be sent exits
    with 2 and one sentence, and nothing of it waits."""
    road.customer_writes("Hello", phone="491570000181", name="Fay Road")
    chat = road.conversation_of("Fay Road")["id"]
    offer, tool = tmp_path / "offer.pdf", tmp_path / "tool.exe"
    offer.write_bytes(b"%PDF-1.7\n" + bytes(700_000))
    tool.write_bytes(b"MZ")

    sent = road.agent.records("send", chat, "As promised", "--file", str(offer), "--key", "offer-1")[0]
    again = road.agent.records("send", chat, "--file", str(offer), "--caption", "As promised", "--key", "offer-1")[0]
    template = road.agent.records("send", chat, "--template", "hello_world", "--language", "en_US")[0]
    refusals = [
        road.agent.run("send", chat, "--file", str(tool), check=False),
        road.agent.run("send", chat, "other words", "--key", "offer-1", check=False),
        road.agent.run("send", chat, "--template", "hello_world", "--language", "xx", check=False),
        road.agent.run("send", chat, "--template", "hello_world", "--language", "en_US", "--param", "body.1=x", check=False),
        road.agent.run("send", chat, "x" * 4097, check=False),
        road.agent.run("send", chat, "-", check=False),
    ]

    assert again["id"] == sent["id"]
    assert (sent["kind"], sent["content"]["filename"], sent["content"]["caption"]) == ("document", "offer.pdf", "As promised")
    assert {sent["delivery"], template["delivery"]} <= {"accepted", "sent", "delivered", "read"}
    told: Any = road.control("sent")
    sends = cast("list[Any]", told["sent"] if isinstance(told, dict) else told)
    bodies = [json.dumps(one) for one in sends]
    assert sum("As promised" in body for body in bodies) == 1
    assert [refusal.returncode for refusal in refusals] == [2] * 6
    assert all(len(refusal.stderr.strip().splitlines()) == 1 for refusal in refusals), [refusal.stderr for refusal in refusals]
    assert [one for one in road.agent.records("outbox", "list") if one["state"] != "accepted"] == []
    assert road.agent.run("outbox", "discard", "0" * 32, check=False).returncode == 1
