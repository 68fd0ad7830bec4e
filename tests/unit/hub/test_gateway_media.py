"""Files through the gateway: bounded on the way in, archived with their message, and seen by whoever may see that."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_served import NUMBER, Served, TestDevice, digest64, served_hub, value_of
from tests.unit.hub.test_gateway_keys import make_key
from wabiz_tui.graph.limits import MEDIA_SIZES
from wabiz_tui.model.wire import address_of

PICTURE = b"\xff\xd8\xff picture"


async def upload(served: Served, headers: dict[str, str], content: bytes = PICTURE, **form: Any) -> httpx.Response:
    data = {"messaging_product": "whatsapp", "type": "image/jpeg"} | form
    return await served.http.post(f"/v26.0/{NUMBER}/media", data=data, files={"file": ("a.jpg", content, "image/jpeg")}, headers=headers)


async def stored(device: TestDevice, message: str) -> dict[str, Any]:
    """The message once its file is in the archive; a minute at most."""
    async with asyncio.timeout(60):
        while (found := (await device.seen("message"))[message])["content"].get("stored", "pending") == "pending":  # noqa: ASYNC110 pages do not tell when
            await asyncio.sleep(0.02)
        return found


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def customers_picture(served: Served, media: str = "77") -> None:
    served.meta.files[media] = PICTURE
    image = {"id": media, "mime_type": "image/jpeg", "sha256": digest64(PICTURE)}
    at = str(int(served.clock.now().timestamp()))
    message = {"from": "447700900123", "id": f"wamid.{media}", "timestamp": at, "type": "image", "image": image}
    await served.webhook(value_of(messages=[message], contacts=[{"profile": {"name": "Ada"}, "wa_id": "447700900123"}]))


async def test_what_was_uploaded_and_sent_is_in_the_archive(tmp_path: Path) -> None:
    """The file goes to Meta under her id; the message that holds it has type, size and hash, and its bytes come from the archive."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        agent = await served.person(await served.admin(), "Agent", "agent")
        [conversation] = await agent.seen("conversation")

        media = (await upload(served, agent.headers)).json()["id"]
        body = {"messaging_product": "whatsapp", "recipient": address_of(conversation), "type": "image", "image": {"id": media}}
        sent = await agent.send(body)
        message = await stored(agent, sent.headers["wabiz-message"])
        served.meta.files.clear()
        info = (await agent.get(f"/v26.0/{media}")).json()
        fetched = await agent.get(info["url"])

        assert served.meta.sent[0]["image"] == {"id": media}
        assert (message["content"]["mime_type"], message["content"]["size"]) == ("image/jpeg", len(PICTURE))
        assert message["content"]["stored"] == "stored"
        assert info["url"].startswith(str(served.http.base_url))
        assert (info["mime_type"], info["file_size"], info["sha256"]) == ("image/jpeg", len(PICTURE), message["content"]["sha256"])
        assert (fetched.content, fetched.headers["content-type"]) == (PICTURE, "image/jpeg")
        assert fetched.headers["x-content-type-options"] == "nosniff"
        assert not [path for path in every_file(tmp_path) if b"picture" in path.read_bytes()]


def every_file(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_only_who_sees_the_conversation_has_its_files(tmp_path: Path) -> None:
    """A colleague's conversation hides its files, an admin and a key without media.read get none, and each answer is as for no file."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        await customers_picture(served)
        mine, other = await served.person(admin, "Mine", "agent"), await served.person(admin, "Other", "agent")
        [conversation] = await mine.seen("conversation")
        await mine.post(f"/v1/conversations/{conversation}/assignee", {"person": mine.reply.person})
        reader = bearer((await make_key(admin))["key"])
        deaf = bearer((await make_key(admin, permissions=["message.send"]))["key"])

        seen = [await served.http.get("/v26.0/77", headers=headers) for headers in (mine.headers, reader)]
        hidden = [await served.http.get("/v26.0/77", headers=headers) for headers in (other.headers, admin.headers, deaf)]
        bytes_hidden = await served.http.get("/v26.0/77/bytes", headers=other.headers)
        nothing = await mine.get("/v26.0/78")

        assert [answer.status_code for answer in seen] == [200, 200]
        assert [(answer.status_code, answer.json()["error"]["code"]) for answer in (*hidden, bytes_hidden)] == [(400, 100)] * 4
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (400, 100)


async def test_an_upload_is_its_uploaders_until_it_is_sent(tmp_path: Path) -> None:
    """Before it is in a message only who uploaded a file sees and deletes it; afterwards the archive has it first."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        one, two = bearer((await make_key(admin))["key"]), bearer((await make_key(admin))["key"])
        media = (await upload(served, one)).json()["id"]

        mine, theirs = [await served.http.get(f"/v26.0/{media}", headers=headers) for headers in (one, two)]
        refused = await served.http.delete(f"/v26.0/{media}", headers=two)
        fetched = await served.http.get(mine.json()["url"], headers=one)
        deleted = await served.http.delete(f"/v26.0/{media}", headers=one)
        gone = await served.http.get(f"/v26.0/{media}", headers=one)

        assert (mine.status_code, theirs.status_code, refused.status_code, deleted.status_code) == (200, 400, 400, 200)
        assert fetched.content == PICTURE
        assert gone.status_code == 400
        assert served.meta.files == {}


async def test_uploads_are_bounded_by_their_kind_and_read_with_care(tmp_path: Path) -> None:
    """Too large, empty, nameless, cut or malformed uploads are refused in Graph's shape, and Meta sees none of them."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        key = bearer((await make_key(admin))["key"])
        large = b"\xff\xd8\xff" + bytes(MEDIA_SIZES["image"])
        path, form = f"/v26.0/{NUMBER}/media", {"Content-Type": "multipart/form-data; boundary=b"}
        whole = b'--b\r\nContent-Disposition: form-data; name="messaging_product"\r\n\r\nwhatsapp\r\n--b\r\n'
        whole += b'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: image/jpeg\r\n\r\nX\r\n--b--\r\n'

        async def post(content: bytes, headers: dict[str, str]) -> httpx.Response:
            return await served.http.post(path, content=content, headers=key | headers)

        codes = {
            "large": await upload(served, key, large),
            "empty": await upload(served, key, b""),
            "product": await upload(served, key, messaging_product="telegram"),
            "type": await upload(served, key, type="image"),
            "no form": await post(b"{}", {"Content-Type": "application/json"}),
            "cut": await post(whole[:-9], form),
            "parts": await post(whole[:-5] + b'Content-Disposition: form-data; name="x"\r\n\r\n\r\n--b\r\n' * 20, form),
            "junk": await post(b"\x00" * 5000, form),
            "long field": await upload(served, key, type="x" * 5000),
            "admin": await upload(served, admin.headers),
            "whole": await post(whole, form),
        }

        told = {name: (answer.status_code, answer.json().get("error", {}).get("code")) for name, answer in codes.items()}
        assert told == {
            "large": (413, 131053),
            "empty": (400, 131053),
            "product": (400, 100),
            "type": (400, 100),
            "no form": (400, 100),
            "cut": (400, 100),
            "parts": (400, 100),
            "junk": (400, 100),
            "long field": (413, 131053),
            "admin": (403, 10),
            "whole": (200, None),
        }
        assert list(served.meta.files.values()) == [b"X"]


async def test_a_message_with_a_link_is_sent_as_it_is(tmp_path: Path) -> None:
    """Links are fetched by Meta alone: the hub fetches nothing from an address a caller names."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        key = bearer((await make_key(await served.admin()))["key"])
        body = {"messaging_product": "whatsapp", "to": "+447700900123", "type": "image", "image": {"link": f"{served.meta.url}/bytes/1"}}

        answer = await served.http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=key)

        assert answer.status_code == 200
        assert served.meta.sent[0]["image"] == body["image"]


async def test_odd_ids_find_nothing(tmp_path: Path) -> None:
    """An id is an id: whatever it is made of, it leads to no other path at Meta or here."""
    async with served_hub(tmp_path) as served:
        key = bearer((await make_key(await served.admin()))["key"])
        for path in ("../v1/me", "77%2Fbytes", "9" * 5000, "%00", "%2e%2e%2f77"):
            answer = await served.http.get(f"/v26.0/{path}", headers=key)

            assert answer.status_code in (400, 401, 404), path
