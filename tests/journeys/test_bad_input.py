"""What is wrong from outside meets a refusal that says what to do: never a traceback, and the next one is served."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.road import Road, until, wabiz

GOOD = {"object": "whatsapp_business_account", "entry": []}


def _webhook(**value: object) -> bytes:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}).encode()


def test_forged_webhooks_are_refused(road: Road) -> None:
    """Unsigned, wrongly signed and mis-shaped signatures are 401."""
    body = json.dumps(GOOD).encode()

    assert road.post(body, {}) == 401
    assert road.post_webhook(body, secret=b"somebody else's secret") == 401
    assert road.post(body, {"X-Hub-Signature-256": "sha256=zz"}) == 401
    assert road.post(body, {"X-Hub-Signature-256": ""}) == 401


def test_an_oversized_webhook_is_refused(road: Road) -> None:
    """Five megabytes are too large, signed or not."""
    assert road.post_webhook(b'{"object":"' + b"x" * (5 * 1024 * 1024) + b'"}') == 413


@pytest.mark.parametrize("body", [b"not json at all", b"", b"[]", b'"text"', b"\xff\xfe\x00", b"[" * 50_000, b'{"entry": 5}'])
def test_what_is_signed_but_unreadable_is_answered_200_and_the_next_is_served(road: Road, body: bytes) -> None:
    """A signed body that is no webhook must not come back for seven days, and must not stop the next one."""
    assert road.post_webhook(body) == 200
    assert road.post_webhook(json.dumps(GOOD).encode()) == 200


def test_an_unknown_kind_is_shown_as_what_it_is(road: Road) -> None:
    """A message type and a webhook field that nobody knows yet are kept whole and shown, and their neighbours are not lost."""
    contacts = [{"profile": {"name": "Future Fan"}, "wa_id": "491570000201"}]
    messages = [
        {"from": "491570000201", "id": "wamid.FUTURE1", "timestamp": str(int(time.time())), "type": "hologram", "hologram": {"depth": 42}},
        {"from": "491570000201", "id": "wamid.FUTURE2", "timestamp": "x", "type": "text", "text": {"body": ["no text"]}},
        {"from": "491570000201", "id": "wamid.FUTURE3", "timestamp": str(int(time.time())), "type": "text", "text": {"body": "still here"}},
    ]
    assert road.post_webhook(_webhook(contacts=contacts, messages=messages)) == 200
    other = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"field": "telepathy", "value": {"deep": [1]}}]}],
    }
    assert road.post_webhook(json.dumps(other).encode()) == 200

    stored = until(lambda: _future(road))
    assert len(stored) == 3
    assert "hologram" in json.dumps(stored)
    assert "still here" in json.dumps(stored)
    road.agent.run("sync")
    assert [row["value"] for row in road.agent.records("events") if row["field"] == "telepathy"] == [{"deep": [1]}]


def _future(road: Road) -> list[dict[str, object]]:
    """The messages from the future on the agent's machine, once all three are there."""
    road.agent.run("sync")
    rows = [row for row in road.agent.records("conversations") if row["name"] == "Future Fan"]
    found = [message for row in rows for message in road.agent.records("messages", row["id"])]
    return found if len(found) >= 3 else []


def test_an_unknown_configuration_key_is_named(road: Road) -> None:
    """A mistyped key in config.toml is refused with file, line, key and the nearest valid name."""
    file = road.agent.paths.config_file
    file.write_text("[screen]\nteme = 'dark'\n")
    try:
        refused = road.agent.run("status", check=False)
    finally:
        file.unlink()

    assert refused.returncode == 2
    for part in ("config.toml:2", "teme", "theme"):
        assert part in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_passphrase_is_denied(road: Road) -> None:
    """Another passphrase opens nothing: exit 3 and one JSON line."""
    road.agent.run("lock")

    denied = wabiz("conversations", home=road.agent.home, passphrase="not this one")
    again = road.agent.run("conversations", check=False)

    assert denied.returncode == 3
    assert json.loads(denied.stderr.splitlines()[-1])["code"] == "wrong_key"
    assert again.returncode == 0


def test_without_key_store_or_terminal_the_ways_out_are_named(road: Road) -> None:
    """On a headless machine without a passphrase the refusal says what to do, and no plain file appears."""
    road.agent.run("lock")

    denied = wabiz("conversations", home=road.agent.home)

    assert denied.returncode == 3
    assert "--passphrase-fd" in json.loads(denied.stderr.splitlines()[-1])["sentence"]


def test_enrolment_without_a_key_store_is_refused_and_leaves_nothing(road: Road, tmp_path: Path) -> None:
    """A fresh headless machine without a passphrase is not enrolled behind the person's back."""
    code = road.admin.records("people", "add", "Nobody Yet", "--role", "agent")[0]["code"]

    denied = wabiz("enroll", road.hub.url, code, home=tmp_path / "home", environment={"DBUS_SESSION_BUS_ADDRESS": ""})

    assert denied.returncode == 3
    assert json.loads(denied.stderr.splitlines()[-1])["code"] == "no_key_store"
    assert wabiz("enroll", road.hub.url, code, home=tmp_path / "home", passphrase="now with one").returncode == 0
    wabiz("wipe", "--yes", home=tmp_path / "home", passphrase="now with one")


def test_a_code_is_used_once_and_only_at_its_own_hub(road: Road, tmp_path: Path) -> None:
    """A used code and a code with another hub's fingerprint are refused."""
    code = road.admin.records("people", "add", "Once", "--role", "agent")[0]["code"]
    secret, _, _ = code.partition(".")

    foreign = wabiz("enroll", road.hub.url, f"{secret}.{'0' * 16}", home=tmp_path / "a", passphrase="p")
    first = wabiz("enroll", road.hub.url, code, home=tmp_path / "b", passphrase="p")
    second = wabiz("enroll", road.hub.url, code, home=tmp_path / "c", passphrase="p")
    wabiz("wipe", "--yes", home=tmp_path / "b", passphrase="p")

    assert foreign.returncode != 0
    assert first.returncode == 0, first.stderr
    assert second.returncode == 3


def test_an_unenrolled_machine_is_told_how_to_begin(tmp_path: Path) -> None:
    """In a fresh home every command that needs a device says that it is not enrolled and how to enrol."""
    refused = wabiz("conversations", home=tmp_path / "fresh")

    assert refused.returncode in {2, 3}
    assert "wabiz enroll" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_foreign_database_is_refused_by_name_and_left_alone(road: Road) -> None:
    """A plain SQLite file where the cache should be is not ours: one sentence names it, and it is not touched."""
    seat = road.person(road.admin, "Fern", "agent")
    seat.run("sync")
    seat.run("lock")
    foreign = b"SQLite format 3\x00" + os.urandom(8192)
    places = sorted(seat.paths.cache.glob("cache-*.db"))
    for file in places:
        file.write_bytes(foreign)

    refused = seat.run("sync", check=False)

    assert refused.returncode != 0
    assert places[-1].name in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [file.read_bytes() for file in places] == [foreign] * len(places)


def test_a_damaged_cache_is_set_aside_and_rebuilt_from_the_hub(road: Road) -> None:
    """A cache that cannot be read costs nothing but a sync: the messages come again, and the damaged file does not stay."""
    seat = road.person(road.admin, "Dana", "agent")
    road.customer_writes("rebuild me", phone="491570000210", name="Rhea Rebuilt")
    row = road.conversation_of("Rhea Rebuilt", seat)
    seat.run("lock")
    for file in seat.paths.cache.glob("cache-*.db"):
        file.write_bytes(os.urandom(file.stat().st_size))

    seat.run("sync")

    assert any(message["text"] == "rebuild me" for message in seat.records("messages", row["id"]))
    assert not list(seat.paths.cache.glob("damaged*"))


def test_two_desks_share_no_cache(road: Road) -> None:
    """A second desk process on the same cache is refused in one sentence; the first goes on."""
    road.agent.run("status")
    environment = road.agent.environment()

    second = subprocess.run(
        [sys.executable, "-m", "wabiz_tui.desk.process"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode != 0
    assert "Traceback" not in second.stderr
    assert road.agent.run("status", check=False).returncode == 0


def test_an_unknown_command_names_the_nearest(tmp_path: Path) -> None:
    """`wabiz conversatons` is usage (2) and suggests the command that was meant."""
    refused = wabiz("conversatons", home=tmp_path)

    assert refused.returncode == 2
    assert "conversations" in refused.stderr
