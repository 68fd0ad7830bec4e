"""The work by commands, over real processes: taken, labelled, noted, put aside, handed over, blocked."""

import json

import pytest

from tests.support.road import Road, until


@pytest.mark.timeout(300)  # the first journey of a process starts the whole road
def test_the_work_by_commands(road: Road) -> None:
    """A taken conversation is labelled and noted, the note is found by its words; put aside until a reply, the reply wakes it; handed
    over, it lies in the queue again; blocked, nothing is sent. What is not the agent's to do is denied."""
    road.customer_writes("Where is my parcel?", phone="491570000401", name="Wanda Work")
    row = road.conversation_of("Wanda Work")
    chat = row["id"]

    assert road.agent.records("assign", chat, "me")[0]["assignee_name"] == "Robin"
    assert road.agent.records("label", chat, "+Parcel", "+hold", "-absent")[0]["labels"] == ["hold", "Parcel"]
    note = road.agent.records("note", chat, "- askthedepotfirst", "--mention", "Casey", "--key", "n1")[0]
    assert (note["direction"], note["kind"], note["text"]) == ("note", "note", "- askthedepotfirst")
    assert [row["id"] for row in road.agent.records("search", "askthedepotfirst")] == [note["id"]]

    assert road.agent.records("snooze", chat)[0]["status"] == "snoozed"
    road.customer_writes("Hello?", phone="491570000401", name="Wanda Work")
    assert until(lambda: road.conversation_of("Wanda Work")["status"] == "open")
    assert road.agent.run("handover", "--reason", "lunch").stdout.splitlines()[-1].endswith("to the queues")

    blocked = road.agent.run("block", row["contact"], "--reason", "threats")
    assert blocked.stdout.strip() == f"{row['contact']} blocked"
    assert road.agent.run("send", chat, "Bye", check=False).returncode != 0
    forbidden = road.agent.run("handover", "Casey", check=False)
    assert (forbidden.returncode, json.loads(forbidden.stderr)["code"]) == (3, "forbidden")
