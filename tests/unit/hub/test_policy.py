"""The policy at the hub: tightening at once, loosening after a second person and the grace period."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import TestDevice, served_hub, value_of
from wabiz_tui.hub import policy as hub_policy
from wabiz_tui.hub.endpoints import policy as policy_endpoints
from wabiz_tui.model.codec import decode
from wabiz_tui.model.wire import PolicyVersion, SignedPolicy
from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.policies import verify_policy

BASE = 'name = "test"\n[cache]\nwindow = "{window}"\n[privacy]\nmask_numbers = {mask}\n[hours]\nholidays = ""\noff_shift = "quiet"\n'


def document(window: str = "14d", mask: str = "true") -> dict[str, str]:
    return {"text": BASE.format(window=window, mask=mask)}


async def in_force(device: TestDevice) -> tuple[PolicyVersion, Policy]:
    signed = decode((await device.get("/v1/policy")).content, SignedPolicy)
    version = verify_policy(signed, from_base64(device.reply.policy_key, size=32, what="key"))
    return version, parse_policy(version.text)


async def test_documents_are_parsed_beside_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that takes long to parse holds up neither the archive's one writer nor its readers."""
    wanted, threads = document("2d"), list[str]()

    def noted(text: str, **more: Any) -> Policy:
        if text == wanted["text"]:
            threads.append(threading.current_thread().name)
        return parse_policy(text, **more)

    for module in (hub_policy, policy_endpoints):
        monkeypatch.setattr(module, "parse_policy", noted)
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        answers = [await admin.post(path, wanted) for path in ("/v1/policy/check", "/v1/policy/diff", "/v1/policy")]
        after = list(threads)

    assert [answer.status_code for answer in answers] == [200] * 3
    # What was applied is read back once to be in force, from the archive's own text.
    assert not [name for name in after[:3] if name.startswith(("archive-", "MainThread"))]
    assert len(after) == 4


async def test_tightening_is_in_force_at_once_and_told(tmp_path: Path) -> None:
    """A shorter window is in force in the answer, signed, and every stream of changes carries it."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        before, _ = await in_force(admin)
        cursor = (await admin.page()).next

        answer = await admin.post("/v1/policy", document("2d"))

        version, policy = await in_force(admin)
        told = [change for change in (await admin.page(cursor)).changes if change.entity == "policy"]
        assert (answer.status_code, answer.json()["state"]) == (200, "in_force")
        assert before.version == 1
        assert policy.cache.window == timedelta(days=2)
        assert decode(bytes(told[0].value or b""), SignedPolicy) == decode((await admin.get("/v1/policy")).content, SignedPolicy)
        assert version.tenant == admin.reply.tenant


async def test_loosening_waits_for_a_second_person_and_the_grace_period(tmp_path: Path) -> None:
    """What loosens waits while what tightens beside it is in force; its proposer cannot approve it, and the grace period is kept."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        compliance = await served.person(admin, "Co", "compliance")
        await admin.post("/v1/policy", document("2d"))

        proposed = await admin.post("/v1/policy", {"text": document("10d")["text"].replace("[hours]", 'clipboard = "off"\n[hours]')})
        version = proposed.json()["version"]
        _, meanwhile = await in_force(admin)
        own = await admin.post("/v1/policy/approve", {"version": version})
        second = await compliance.post("/v1/policy/approve", {"version": version})
        _, still = await in_force(admin)
        served.clock.move(timedelta(hours=25))
        await admin.log_in()
        from wabiz_tui.hub.policy import ripen

        await served.hub.archive.write(ripen)
        served.hub.policies.refresh()
        now, after = await in_force(admin)

        assert (proposed.status_code, proposed.json()["state"]) == (202, "waiting")
        assert (meanwhile.cache.window, meanwhile.privacy.clipboard) == (timedelta(days=2), "off")
        assert own.status_code == 403
        assert (second.status_code, second.json()["state"]) == (202, "waiting")
        assert still.cache.window == timedelta(days=2)
        assert (now.version, after.cache.window) == (version, timedelta(days=10))
        actions = [entry["action"] for entry in (await admin.get("/v1/audit/entries")).json()["entries"]]
        assert actions.count("policy.proposed") == actions.count("policy.approved") == 1


async def test_a_wrong_document_is_refused_by_line_and_key(tmp_path: Path) -> None:
    """An unknown key gets file, line, key and the nearest valid name, and nothing changes."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        wrong = {"text": '[cache]\nwindw = "2d"\n', "file": "mine.toml"}

        answers = [await admin.post(path, wrong) for path in ("/v1/policy", "/v1/policy/check", "/v1/policy/diff")]

        assert [answer.status_code for answer in answers] == [422] * 3
        assert answers[0].json()["sentence"].startswith("mine.toml:2: cache.windw:")
        assert "'window'" in answers[0].json()["sentence"]
        assert (await in_force(admin))[0].version == 1


async def test_unmasking_reaches_what_desks_hold(tmp_path: Path) -> None:
    """When the mask of numbers changes, every contact is told anew, seen by the rule in force."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        agent, compliance = await served.person(admin, "Ag", "agent"), await served.person(admin, "Co", "compliance")
        cursor = (await agent.page()).next
        version = (await admin.post("/v1/policy", document(mask="false"))).json()["version"]
        await compliance.post("/v1/policy/approve", {"version": version})
        served.clock.move(timedelta(hours=25))
        from wabiz_tui.hub.policy import ripen

        await served.hub.archive.write(ripen)
        served.hub.policies.refresh()
        await agent.log_in()

        told = {change.entity for change in (await agent.page(cursor)).changes}
        [contact] = (await agent.seen("contact")).values()
        assert {"contact", "conversation", "policy"} <= told
        assert contact["phone"] == "+447700900123"


async def test_masking_reaches_what_desks_hold(tmp_path: Path) -> None:
    """When masks come on later, at once and in the feed: contacts, conversations, and what Meta said around messages and in events
    are told anew without the number that the reader had seen."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent, compliance = await served.person(admin, "Ag", "agent"), await served.person(admin, "Co", "compliance")
        version = (await admin.post("/v1/policy", document(mask="false"))).json()["version"]
        await compliance.post("/v1/policy/approve", {"version": version})
        served.clock.move(timedelta(hours=25))
        from wabiz_tui.hub.policy import ripen

        await served.hub.archive.write(ripen)
        served.hub.policies.refresh()
        await agent.log_in()
        await admin.log_in()
        at = str(int(served.clock.now().timestamp()))
        system = {"body": "User A changed from 447700900123 to 447700900124", "wa_id": "447700900124", "type": "user_changed_number"}
        reply = {"from": "447700900123", "id": "wamid.R", "timestamp": at, "type": "text", "text": {"body": "yes"}}
        await served.webhook(value_of(messages=[reply | {"context": {"from": "447700900123", "id": "wamid.Q"}}]))
        await served.webhook(
            value_of(messages=[{"from": "447700900123", "id": "wamid.S", "timestamp": at, "type": "system", "system": system}])
        )
        await served.webhook({"user_id": "447700900123", "phone_number": "447700900123"}, field="user_preferences")
        shown = await agent.page()

        applied = await admin.post("/v1/policy", document(mask="true"))
        told = await agent.page(shown.next)

        assert b"7700900123" in b"".join(bytes(change.value or b"") for change in shown.changes)
        assert applied.json()["state"] == "in_force"
        assert {change.entity for change in told.changes} >= {"contact", "conversation", "message", "event", "policy"}
        held = {(change.entity, change.id): bytes(change.value or b"") for change in (*shown.changes, *told.changes)}
        assert not [key for key, value in held.items() if b"7700900123" in value or b"7700900124" in value]


async def test_the_log_grows_consistently(tmp_path: Path) -> None:
    """Checkpoints before and after more entries are consistent, and each entry's commitment is its leaf."""
    from wabiz_tui.proof.commitments import is_commitment
    from wabiz_tui.proof.merkle import MemoryTree, verify_consistency
    from wabiz_tui.proof.notes import verify_checkpoint

    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        public = from_base64(admin.reply.audit_key, size=32, what="key")

        async def checkpoint():
            note = (await admin.get("/v1/audit/checkpoint")).json()["checkpoint"]
            return verify_checkpoint(note, origin=f"wabiz/{admin.reply.tenant}", public=public)

        old = await checkpoint()
        for name in ("A", "B", "C"):
            await served.person(admin, name, "agent")
        new = await checkpoint()
        proof = (await admin.get(f"/v1/audit/consistency?old={old.size}&new={new.size}")).json()["proof"]
        entries = (await admin.get("/v1/audit/entries")).json()["entries"]

        path = [from_base64(node, size=32, what="node") for node in proof]
        assert new.size == old.size + 6
        assert verify_consistency(old.size, new.size, old.root, new.root, path)
        tree = MemoryTree()
        for entry in entries:
            commitment = from_base64(entry["commitment"], size=32, what="commitment")
            assert is_commitment(commitment, from_base64(entry["salt"], size=32, what="salt"), entry["record"].encode())
            tree.add(commitment)
        assert tree.root() == new.root
