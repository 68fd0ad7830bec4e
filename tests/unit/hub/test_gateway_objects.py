"""What the gateway passes on beside messages and files: templates, numbers, blocked users; by permission, without Meta's token."""

from pathlib import Path
from typing import Any

from tests.support.hub_archive import TENANT
from tests.support.hub_served import NUMBER, Served, served_hub
from tests.unit.hub.test_gateway_checks import template
from tests.unit.hub.test_gateway_keys import make_key, send
from wabiz_tui.hub.gateway.passing import with_own_links
from wabiz_tui.hub.gateway.sender import Sender

PATHS = (f"/v26.0/{TENANT}/message_templates", f"/v26.0/{TENANT}/phone_numbers", f"/v26.0/{NUMBER}/whatsapp_business_profile")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def block(served: Served, key: str, method: str = "POST") -> Any:
    body = {"messaging_product": "whatsapp", "block_users": [{"user": "447700900123"}]}
    return await served.http.request(method, f"/v26.0/{NUMBER}/block_users", json=body, headers=bearer(key))


async def test_reads_are_by_permission(tmp_path: Path) -> None:
    """Without the permission each read is refused with 10; accounts, numbers and ids of others are as unknown as none."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [template()]
        admin = await served.admin()
        deaf = bearer((await make_key(admin, permissions=["message.send"]))["key"])
        reader = bearer((await make_key(admin))["key"])

        refused = [await served.http.get(path, headers=deaf) for path in PATHS]
        foreign = [await served.http.get(f"/v26.0/{path}", headers=reader) for path in ("1/message_templates", "1/phone_numbers", "1")]
        listed = await served.http.get(PATHS[0], headers=reader)
        written = await served.http.post(PATHS[0], json={"name": "x"}, headers=reader)

        assert [(one.status_code, one.json()["error"]["code"]) for one in refused] == [(403, 10)] * 3
        assert [(one.status_code, one.json()["error"]["error_data"]["wabiz_code"]) for one in foreign] == [(400, "unknown_object")] * 3
        assert [one["name"] for one in listed.json()["data"]] == ["spring"]
        assert written.status_code == 403


async def test_who_cannot_write_templates_asks_for_approved_ones(tmp_path: Path) -> None:
    """The status asked of Meta is APPROVED, whatever an agent asks for; another status is an empty list."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [template()]
        reader = bearer((await make_key(await served.admin()))["key"])

        approved = await served.http.get(PATHS[0], params={"fields": "name,status"}, headers=reader)
        rejected = await served.http.get(PATHS[0], params={"status": "REJECTED"}, headers=reader)

        assert approved.status_code == 200
        assert served.meta.asked[-1] == {"fields": "name,status", "status": "APPROVED"}
        assert rejected.json() == {"data": []}


async def test_fields_lead_nowhere_else(tmp_path: Path) -> None:
    """Fields with lists of their own, edges and a token of the caller's are not passed on."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = []
        reader = bearer((await make_key(await served.admin()))["key"])

        for fields in ("id,owner_business{users}", "subscribed_apps", "message_history", "name.limit(5)", "x" * 3000):
            answer = await served.http.get(PATHS[0], params={"fields": fields}, headers=reader)
            assert answer.status_code in (400, 404), fields
        await served.http.get(PATHS[0], params={"access_token": "theirs", "limit": "5"}, headers=reader)

        assert served.meta.asked == [{"limit": "5", "status": "APPROVED"}]


async def test_a_blocked_contact_gets_nothing_until_unblocked(tmp_path: Path) -> None:
    """Blocking goes to Meta and stays at the hub: sends are refused with 130403; both acts are in the audit log."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        key = (await make_key(admin, permissions=["message.send", "contact.block"]))["key"]
        usual = (await make_key(admin))["key"]

        denied = await block(served, usual)
        blocked = await block(served, key)
        refused = await send(served, key)
        unblocked = await block(served, key, "DELETE")
        allowed = await send(served, key)

        error = refused.json()["error"]
        assert (denied.status_code, blocked.status_code, unblocked.status_code) == (403, 200, 200)
        assert (refused.status_code, error["code"], error["error_data"]["wabiz_code"]) == (400, 130403, "blocked")
        assert allowed.status_code == 200
        acts = [entry["action"] for entry in (await admin.get("/v1/audit/entries")).json()["entries"]]
        assert [act for act in acts if act.startswith("contact.")] == ["contact.blocked", "contact.unblocked"]


async def test_what_the_gateway_does_not_know_is_told_in_graphs_shape(tmp_path: Path) -> None:
    """Other edges, other methods and unknown versions get code 100 and say that they are not passed on."""
    async with served_hub(tmp_path) as served:
        key = bearer((await make_key(await served.admin()))["key"])
        for method, path in (
            ("POST", f"/v26.0/{NUMBER}/register"),
            ("GET", f"/v26.0/{NUMBER}/settings"),
            ("PUT", "/v26.0/1"),
            ("GET", "/v/1"),
        ):
            answer = await served.http.request(method, path, headers=key)

            assert answer.status_code == 404, path
            assert answer.json()["error"]["error_data"]["wabiz_code"] == "unsupported"


def test_links_of_a_list_lead_back_here() -> None:
    """Meta's links name her host and can hold a token: the hub's name the hub and the cursor alone."""
    link = "https://graph.facebook.com/v26.0/1/message_templates?access_token=EAAsecret&limit=25&after=QVFI"
    answer = {"data": [], "paging": {"cursors": {"after": "QVFI"}, "next": link}}

    told = with_own_links(answer, lambda: "http://hub/v26.0/1/message_templates")

    assert told["paging"] == {"cursors": {"after": "QVFI"}, "next": "http://hub/v26.0/1/message_templates?after=QVFI&limit=25"}


def test_nobody_may_do_anything() -> None:
    """A sender without role and without key has no permission."""
    assert not Sender("", "", "", "wabiz").may("message.send")
