"""Integration keys: made once, bound to numbers and permissions, refused when wrong, and never kept or told again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub_archive import TENANT
from tests.support.hub_served import NUMBER, Served, TestDevice, served_hub, status_value
from wabiz_tui.hub.archive.events import note_number
from wabiz_tui.policy.permissions import INTEGRATION_ACTIONS

USUAL = ["message.send", "message.mark_read", "media.send", "media.read", "template.read", "number.read"]


async def make_key(admin: TestDevice, **wanted: Any) -> dict[str, Any]:
    body = {"name": "Order desk", "numbers": [NUMBER], "permissions": USUAL} | wanted
    answer = await admin.post("/v1/integrations", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(served: Served, key: str, *, number: str = NUMBER, idempotency: str | None = None, **body: Any) -> httpx.Response:
    whole = {"messaging_product": "whatsapp", "to": "+447700900123", "type": "text", "text": {"body": "Your order left"}} | body
    headers = {"Authorization": f"Bearer {key}"} | ({"Idempotency-Key": idempotency} if idempotency else {})
    return await served.http.post(f"/v26.0/{number}/messages", json=whole, headers=headers)


async def test_a_program_sends_under_its_own_name(tmp_path: Path) -> None:
    """A message sent by a key is archived with the integration as its author and reaches Meta with the hub's token."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        made = await make_key(admin)
        officer = await served.person(admin, "Casey", "compliance")

        answer = await send(served, made["key"], biz_opaque_callback_data="order-7")

        [message] = [one for one in (await officer.seen("message")).values() if one["direction"] == "outgoing"]
        assert answer.status_code == 200
        assert (message["author"], message["author_name"], message["origin"]) == (made["id"], "Order desk", "integration")
        assert message["extra"] == {"biz_opaque_callback_data": "order-7"}
        assert answer.headers["wabiz-message"] == message["id"]


async def test_a_program_learns_what_became_of_its_message(tmp_path: Path) -> None:
    """By the hub's id an uncertain send is found, and once its status came the wamid, the state and the caller's own value; a key of
    other numbers, and one that may not send, see nothing of it."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        key = (await make_key(admin))["key"]
        served.meta.mode = "break"
        message = (await send(served, key, biz_opaque_callback_data="order-7")).headers["wabiz-message"]
        path = f"/v26.0/{NUMBER}/message_history"

        async def told(headers: dict[str, str], named: str) -> Any:
            return (await served.http.get(path, params={"message_id": named}, headers=headers)).json()

        before = await told({"Authorization": f"Bearer {key}"}, message)
        at = served.clock.now()
        await served.webhook(status_value("wamid.LATE", "delivered", at, biz_opaque_callback_data=f"w1:{message}"))
        [after] = (await told({"Authorization": f"Bearer {key}"}, "wamid.LATE"))["data"]
        incoming = await told({"Authorization": f"Bearer {key}"}, "wamid.A")
        denied = await told(admin.headers, message)

        assert [one["delivery_status"] for one in before["data"]] == ["UNCERTAIN"]
        assert (after["id"], after["message_id"], after["delivery_status"]) == (message, "wamid.LATE", "DELIVERED")
        assert after["biz_opaque_callback_data"] == "order-7"
        assert incoming == {"data": []}
        assert denied["error"]["code"] == 10


async def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The key begins with wbk_, is in no list, no file and no log line, and both acts are in the audit log."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        made = await make_key(admin)
        await send(served, made["key"])
        await send(served, made["key"] + "x")
        listed = await admin.get("/v1/integrations")
        await admin.post(f"/v1/integrations/{made['id']}/revoke", {})
        entries = (await admin.get("/v1/audit/entries")).json()["entries"]

    secret = made["key"].rsplit("_", 1)[1]
    files = b"".join(path.read_bytes() for path in every_file(tmp_path))
    assert made["key"].startswith("wbk_")
    assert secret not in listed.text
    assert secret.encode() not in files
    assert secret not in "".join(capfd.readouterr())
    about = [(entry["action"], entry["about"]) for entry in entries if entry["action"].startswith("integration.")]
    assert about == [("integration.added", made["id"]), ("integration.revoked", made["id"])]


def every_file(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_wrong_and_revoked_keys_are_refused_as_meta_does(tmp_path: Path) -> None:
    """A key that is cut, lengthened, of another id, empty or revoked gets 401 and 190, and nothing is sent."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        key = (made := await make_key(admin))["key"]

        answers = [await send(served, wrong) for wrong in (key[:-1], key + "A", f"wbk_{'0' * 32}{key[36:]}", "wbk_")]
        await admin.post(f"/v1/integrations/{made['id']}/revoke", {})
        answers.append(await send(served, key))

        for answer in answers:
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["error_data"]["wabiz_code"]) == (401, 190, "bad_token")
        assert served.meta.sent == []


async def test_a_key_is_bound_to_its_numbers_and_permissions(tmp_path: Path) -> None:
    """Another number is as unknown as none, what the key may not do gets code 10, and /v1 is not a program's."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        reader = (await make_key(admin, permissions=["template.read"]))["key"]
        sender = (await make_key(admin))["key"]

        denied, elsewhere = await send(served, reader), await send(served, sender, number="42")
        inside = await served.http.get("/v1/me", headers={"Authorization": f"Bearer {sender}"})

        assert (denied.status_code, denied.json()["error"]["code"]) == (403, 10)
        assert denied.json()["error"]["error_data"]["wabiz_code"] == "not_permitted"
        assert elsewhere.json()["error"]["error_data"]["wabiz_code"] == "unknown_number"
        assert inside.status_code == 401
        assert served.meta.sent == []


async def test_a_key_asks_no_oftener_than_its_rate(tmp_path: Path) -> None:
    """Beyond two seconds' worth of requests a key gets 130429 and Retry-After; a second later it may go on."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        key = (await make_key(await served.admin(), rate=1))["key"]

        answers = [await send(served, key) for _ in range(3)]
        served.clock.move(timedelta(seconds=1))
        later = await send(served, key)

        error = answers[2].json()["error"]
        assert [answer.status_code for answer in (*answers, later)] == [200, 200, 400, 200]
        assert (error["code"], error["error_data"]["wabiz_code"], answers[2].headers["retry-after"]) == (130429, "rate_limited", "1")


async def test_a_key_is_made_of_sound_parts_only(tmp_path: Path) -> None:
    """A blank name, an unknown number, a permission no key may have, or an odd rate is refused with a sentence."""
    unsound: tuple[dict[str, Any], ...] = (
        {"name": " "},
        {"name": "a\x1b[31m"},
        {"numbers": []},
        {"numbers": ["42"]},
        {"permissions": []},
        {"permissions": ["people.add"]},
        {"rate": 0},
        {"rate": 10**6},
    )
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        for wanted in unsound:
            answer = await admin.post("/v1/integrations", {"name": "Order desk", "numbers": [NUMBER], "permissions": USUAL} | wanted)

            assert (answer.status_code, answer.json()["code"]) == (400, "bad_input"), wanted
        assert (await admin.get("/v1/integrations")).json() == []


def test_no_key_may_read_people_or_policy() -> None:
    """What a key may be given is sending and what sending needs: nothing of people, devices, policy, cases or the log."""
    assert {action.split(".")[0] for action in INTEGRATION_ACTIONS} == {"contact", "media", "message", "number", "template"}


async def test_a_read_mark_goes_to_the_messages_own_number_only(tmp_path: Path) -> None:
    """A message on a number of the key's does not open another number to it: nothing reaches Meta."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        key = (await make_key(await served.admin()))["key"]
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}

        answers = [
            await served.http.post(f"/v26.0/{number}/messages", json=body, headers={"Authorization": f"Bearer {key}"})
            for number in ("999", NUMBER)
        ]

        assert answers[0].json()["error"]["error_data"]["wabiz_code"] == "unknown_number"
        assert (answers[1].status_code, len(served.meta.reads)) == (200, 1)


async def test_an_id_that_is_not_the_keys_is_told_as_no_id_at_all(tmp_path: Path) -> None:
    """Another number of the hub and another caller's file are answered byte for byte as an id that nobody ever had."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = []
        await served.hub.archive.write(lambda writing: note_number(writing, "555"))
        admin = await served.admin()
        [mine, other] = [{"Authorization": f"Bearer {(await make_key(admin))['key']}"} for _ in range(2)]
        form = {"messaging_product": "whatsapp", "type": "image/jpeg"}
        uploaded = await served.http.post(f"/v26.0/{NUMBER}/media", data=form, files={"file": ("a.jpg", b"x", "image/jpeg")}, headers=other)

        foreign = [await served.http.get(f"/v26.0/{one}", headers=mine) for one in ("555", uploaded.json()["id"])]
        unknown = await served.http.get("/v26.0/444", headers=mine)

        assert unknown.status_code == 400
        assert [(one.status_code, one.text) for one in foreign] == [(400, unknown.text)] * 2


@pytest.mark.parametrize("edge", ["phone_numbers", "message_templates", "block_users", "assigned_users"])
async def test_an_edge_is_no_field(tmp_path: Path, edge: str) -> None:
    """What a key may not list it does not get as a field of what it may read."""
    async with served_hub(tmp_path) as served:
        key = (await make_key(await served.admin()))["key"]
        for path in (NUMBER, TENANT):
            answer = await served.http.get(f"/v26.0/{path}", params={"fields": f"id,{edge}"}, headers={"Authorization": f"Bearer {key}"})
            assert answer.json()["error"]["error_data"]["wabiz_code"] == "unsupported"


async def test_addresses_lead_back_the_way_the_caller_came(tmp_path: Path) -> None:
    """Links begin with the address that the line came in at, whatever Host its sender wrote; proxies are in test_front_addresses."""
    async with served_hub(tmp_path) as served:
        key = {"Authorization": f"Bearer {(await make_key(await served.admin()))['key']}"}
        form = {"messaging_product": "whatsapp", "type": "image/jpeg"}
        files = {"file": ("a.jpg", b"x", "image/jpeg")}
        media = (await served.http.post(f"/v26.0/{NUMBER}/media", data=form, files=files, headers=key)).json()["id"]

        answers = [await served.http.get(f"/v26.0/{media}", headers=key | {"Host": host}) for host in ("hub.example", "[x")]

        assert [answer.json()["url"] for answer in answers] == [str(served.http.base_url.join(f"/v26.0/{media}/bytes"))] * 2
