"""A customer writes, an agent answers, the policy purges: the main job, end to end, over real processes."""

import json
import os
from typing import Any

import pytest

from tests.support.road import FIXTURES, Road, until, wabiz
from wabiz_tui.cli.demo.stage import Seat
from wabiz_tui.desk.process.socket_file import socket_path


def test_a_message_travels_to_the_machine_and_the_answer_back(road: Road) -> None:
    """What a customer writes is on the agent's machine after `wabiz sync`; the agent's answer reaches Meta and its ticks come back."""
    wamid = road.customer_writes("Is it ready? ✅", phone="491570000101", name="Ada Road")
    row = road.conversation_of("Ada Road")

    assert row["unread"] == 1
    assert row["status"] == "open"
    incoming = road.agent.records("messages", row["id"])
    assert [(message["wamid"], message["text"], message["direction"]) for message in incoming] == [(wamid, "Is it ready? ✅", "incoming")]

    sent = road.agent.records("send", row["id"], "Yes, come by after four.")[0]
    assert sent["delivery"] in {"accepted", "sent", "delivered", "read"}
    assert sent["wamid"]

    def delivery() -> str:
        road.agent.run("sync")
        return next(message["delivery"] for message in road.agent.records("messages", row["id"]) if message["id"] == sent["id"])

    assert until(lambda: delivery() == "read")


def test_the_same_key_sends_once(road: Road) -> None:
    """Two sends with one idempotency key are one message at Meta and one on the machine."""
    road.customer_writes("Hello", phone="491570000102", name="Bob Road")
    row = road.conversation_of("Bob Road")

    first = road.agent.records("send", row["id"], "Once only, please", "--key", "k-bob-1")[0]
    second = road.agent.records("send", row["id"], "Once only, please", "--key", "k-bob-1")[0]

    assert first["id"] == second["id"]
    sends = road.control("sent")
    assert sum("Once only, please" in json.dumps(send) for send in (sends["sent"] if isinstance(sends, dict) else sends)) == 1


def test_a_refusal_of_metas_is_told_with_its_reason(road: Road) -> None:
    """A send that Meta refuses exits with 1 and says why in one sentence."""
    road.customer_writes("Hello", phone="491570000103", name="Cyd Road")
    row = road.conversation_of("Cyd Road")
    road.control("fault", {"kind": "fail_next", "code": 131026, "count": 1})

    finished = road.agent.run("send", row["id"], "Will fail", "--json", check=False)

    assert finished.returncode == 1
    assert "131026" in finished.stdout + finished.stderr


def test_status_names_what_the_contract_names(road: Road) -> None:
    """`wabiz status --json` has every key of the contract."""
    status = road.agent.records("status")[0]

    assert set(status) >= {"link", "lease_until", "policy", "epoch", "messages", "outbox", "next_purge", "key_store"}
    assert status["link"] == "online"


def test_resolve_and_reopen(road: Road) -> None:
    """A resolved conversation says so on the machine, and a customer who writes again opens it."""
    road.customer_writes("Hello", phone="491570000104", name="Dee Road")
    row = road.conversation_of("Dee Road")
    road.agent.run("resolve", row["id"])
    assert until(lambda: road.conversation_of("Dee Road")["status"] == "resolved")

    road.customer_writes("One more thing", phone="491570000104", name="Dee Road")

    assert until(lambda: road.conversation_of("Dee Road")["status"] == "open")


def test_what_is_due_is_purged_by_the_clock_with_a_receipt(road: Road) -> None:
    """Fifteen days later the two-week window has emptied the cache: a new file under a new key, the old one gone, a valid receipt."""
    seat = road.person(road.admin, "Ferry", "agent")
    road.customer_writes("zugzwangmarker in the cache", phone="491570000105", name="Eve Road")
    row = road.conversation_of("Eve Road", seat)
    assert any("zugzwangmarker" in message["text"] for message in seat.records("messages", row["id"]))
    before = seat.records("status")[0]
    old = {path.name for path in seat.paths.cache.glob("cache-*.db")}

    ahead = {"WABIZ_CLOCK_AHEAD": "15d"}
    purged = wabiz("purge", "--json", home=seat.home, environment=ahead, passphrase=seat.passphrase())
    assert purged.returncode == 0, purged.stderr
    after = json.loads(wabiz("status", "--json", home=seat.home, environment=ahead, passphrase=seat.passphrase()).stdout)

    assert after["epoch"] > before["epoch"]
    assert after["messages"] == 0
    assert not old & {path.name for path in seat.paths.cache.glob("cache-*.db")}
    chain = wabiz("receipts", "list", "--json", home=seat.home, environment=ahead, passphrase=seat.passphrase()).stdout
    file = seat.home / "chain.jsonl"
    file.write_text(chain)
    key = json.loads(chain.splitlines()[-1])["public_key"]
    assert wabiz("receipts", "verify", str(file), "--key", key, home=seat.home).returncode == 0
    file.write_text(chain.replace('\\"number\\":1', '\\"number\\":7', 1))
    assert wabiz("receipts", "verify", str(file), "--key", key, home=seat.home).returncode == 1


def test_a_revoked_machine_loses_everything(road: Road) -> None:
    """After `wabiz devices revoke` the machine is denied with one JSON line and its cache is gone."""
    seat = road.person(road.admin, "Gail", "agent")
    road.customer_writes("Hello", phone="491570000106", name="Fay Road")
    road.conversation_of("Fay Road", seat)
    device = next(row["id"] for row in road.admin.records("devices", "list") if row["person_name"] == "Gail")

    road.admin.run("devices", "revoke", device)
    denied = until(lambda: next((out for out in [seat.run("sync", check=False)] if out.returncode == 3), None))

    assert denied
    assert set(json.loads(denied.stderr.splitlines()[-1])) == {"code", "sentence"}
    assert until(lambda: not list(seat.paths.cache.glob("cache-*.db")))


def test_a_wiped_machine_holds_nothing(road: Road) -> None:
    """`wabiz wipe` removes cache, keys and enrolment, and says what it removed."""
    seat = road.person(road.admin, "Hope", "agent")
    seat.run("sync")

    removed = seat.records("wipe", "--yes")

    assert removed
    left = [path for path in seat.home.rglob("*") if path.is_file() and path.suffix not in {".lock", ".log"}]
    assert left == []


@pytest.mark.shared
@pytest.mark.skipif(not FIXTURES.exists() and "CI" not in os.environ, reason=f"Meta's example webhooks are not at {FIXTURES}")
def test_what_is_older_than_the_cache_is_read_from_the_hub(road: Road) -> None:
    """A message from beyond the window is printed also by a desk that has only just started."""
    seat = road.person(road.admin, "Ivo", "agent")
    assert road.post_webhook((FIXTURES / "order-message.json").read_bytes()) == 200
    row = until(lambda: next((row for row in [_named(road, "Sheena Nelson", seat)] if row), None))
    assert until(lambda: not socket_path(seat.paths).exists())

    found = seat.records("messages", row["id"])

    assert [message["kind"] for message in found] == ["order"]


def _named(road: Road, name: str, seat: Seat) -> dict[str, Any] | None:
    seat.run("sync")
    return next((row for row in seat.records("conversations") if row["name"] == name), None)
