"""The files of the pretend Meta over HTTP: what an upload must be, how long things live, and who may fetch them."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from tests.support.simulator_stage import NUMBER, Stage, staged

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
SECOND = "106540352242923"


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged(phone_number_ids=(NUMBER, SECOND)) as made:
        yield made


async def upload(stage: Stage, content: bytes = PNG, mime: str = "image/png", *, number: str = NUMBER, **form: str) -> httpx.Response:
    told = {"messaging_product": "whatsapp", "type": mime, **form}
    files = {"file": ("a.png", content, mime)}
    data = {key: value for key, value in told.items() if value}
    return await stage.http.post(f"/v26.0/{number}/media", data=data, files=files, headers=stage.bearer)


async def test_upload_look_up_download_delete(stage: Stage) -> None:
    """A file is uploaded, looked up by its own number alone, downloaded with the token alone, and gone once deleted."""
    name = (await upload(stage)).json()["id"]
    info = await stage.graph("GET", name, phone_number_id=NUMBER)
    again = await stage.graph("GET", name)
    foreign = await stage.refused("GET", name, phone_number_id=SECOND)
    file = await stage.http.get(info["url"], headers=stage.bearer)
    bare, wrong = await stage.http.get(info["url"]), await stage.http.get(info["url"], headers={"Authorization": "Bearer no"})
    not_mine = await stage.refused("DELETE", name, phone_number_id=SECOND)
    await stage.graph("DELETE", name)

    assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
    assert {type(info["file_size"]), type(again["file_size"])} == {int, str}
    assert (len(info["sha256"]), info["mime_type"], info["messaging_product"]) == (64, "image/png", "whatsapp")
    assert (foreign["error_subcode"], not_mine["error_subcode"]) == (33, 33)
    assert (bare.status_code, wrong.status_code) == (401, 401)
    assert (await stage.refused("GET", name))["code"] == 100
    assert (await stage.http.get(info["url"], headers=stage.bearer)).status_code == 404


async def test_what_lives_how_long(stage: Stage) -> None:
    """A URL lives five minutes, an uploaded id thirty days, a customer's seven, one with ttl_minutes as long as that."""
    mine, brief = (await upload(stage)).json()["id"], (await upload(stage, ttl_minutes="60")).json()["id"]
    theirs = (await stage.control("media", base64="aGVsbG8=", mime="text/plain"))["id"]
    url = (await stage.graph("GET", mine))["url"]
    await stage.control("clock", advance="5m1s")
    dead = await stage.http.get(url, headers=stage.bearer)
    await stage.control("clock", advance="56m")
    ended = await stage.refused("GET", brief)
    await stage.control("clock", advance="7d")
    forgotten = await stage.refused("GET", theirs)
    still = await stage.graph("GET", mine)
    await stage.control("clock", advance="23d")

    assert (dead.status_code, ended["code"], forgotten["code"], still["id"]) == (404, 100, 100, mine)
    assert (await stage.refused("GET", mine))["code"] == 100


@pytest.mark.parametrize(
    ("content", "mime", "form", "code"),
    [
        (PNG, "image/jpeg", {}, 131053),
        (b"PK\x03\x04", "application/zip", {}, 131053),
        (b"", "text/plain", {}, 131053),
        (b"\x89PNG\r\n\x1a\n" + bytes(5 * 1024 * 1024), "image/png", {}, 131053),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02" + bytes(600 * 1024), "image/webp", {}, 131053),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(101 * 1024), "image/webp", {}, 131053),
        (b"GIF89a", "image/png", {}, 131053),
        (b"PK\x03\x04", "application/msword", {}, 131053),
        (PNG, "image/png", {"messaging_product": "telegram"}, 100),
        (PNG, "image/png", {"ttl_minutes": "59"}, 100),
        (PNG, "image/png", {"ttl_minutes": "43201"}, 100),
    ],
)
async def test_uploads_that_are_refused(stage: Stage, content: bytes, mime: str, form: dict[str, str], code: int) -> None:
    """A wrong kind, an untrue kind, an empty or too large file, and wrong parameters are each refused."""
    answer = await upload(stage, content, mime, **form)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_files_that_are_taken(stage: Stage) -> None:
    """An animated sticker may be larger than a still one, and what cannot be told by its beginning is believed."""
    animated = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02" + bytes(101 * 1024)
    taken = [
        (animated, "image/webp"),
        (b"just words", "text/plain"),
        (b"OggS" + bytes(20), "audio/ogg; codecs=opus"),
        (b"\0\0\0\x18ftypmp42", "audio/mp4"),
    ]

    assert [(await upload(stage, content, mime)).status_code for content, mime in taken] == [200] * 4


async def test_a_file_sent_as_another_kind(stage: Stage) -> None:
    """A picture sent as a sticker is accepted and fails with 131053; sent as a document it arrives."""
    await stage.write()
    name = (await upload(stage)).json()["id"]
    sent = [
        (await stage.send(type=kind, text=None, **{kind: {"id": name}})).json()["messages"][0]["id"] for kind in ("sticker", "document")
    ]
    await stage.hub.until(lambda: set(sent) <= {status["id"] for status in stage.hub.values("statuses")})
    failed = {one["id"]: one["errors"][0]["code"] for one in stage.hub.values("statuses") if one["status"] == "failed"}

    assert [failed.get(one) for one in sent] == [131053, None]


async def test_uploads_without_their_parts(stage: Stage) -> None:
    """Without a file, or with a body that is no form, the upload is refused; the part's own type is enough."""
    path, product = f"/v26.0/{NUMBER}/media", {"messaging_product": "whatsapp"}
    no_file = await stage.http.post(path, data={**product, "type": "image/png"}, headers=stage.bearer)
    no_form = await stage.http.post(path, json={**product, "file": "a.png"}, headers=stage.bearer)
    broken = await stage.http.post(
        path, content=b"--x\r\nnonsense", headers={**stage.bearer, "Content-Type": "multipart/form-data; boundary=x"}
    )
    part_alone = await stage.http.post(path, data=product, files={"file": ("a.png", PNG, "image/png")}, headers=stage.bearer)

    assert [answer.json()["error"]["code"] for answer in (no_file, no_form, broken)] == [100] * 3
    assert part_alone.status_code == 200


async def test_a_file_is_usable_from_its_own_number(stage: Stage) -> None:
    """An uploaded id sends from the number it was uploaded to, not from another, and not once it has died."""
    await stage.write()
    name = (await upload(stage, number=SECOND)).json()["id"]
    mine = (await upload(stage)).json()["id"]

    def body(media: str) -> dict[str, Any]:
        return {"type": "image", "text": None, "image": {"id": media}}

    header = {"type": "image", "image": {"id": name}}
    interactive = {
        "type": "button",
        "header": header,
        "body": {"text": "b"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "One"}}]},
    }

    assert (await stage.send(**body(mine))).status_code == 200
    assert (await stage.send(**body(name))).json()["error"]["code"] == 131009
    assert (await stage.send(type="interactive", text=None, interactive=interactive)).json()["error"]["code"] == 131009
    await stage.control("clock", advance="31d")
    assert (await stage.send(**body(mine))).json()["error"]["code"] == 131009


async def test_faults_of_files(stage: Stage) -> None:
    """A URL that is said to have expired is 404 once, and the next one works."""
    name = (await upload(stage)).json()["id"]
    await stage.control("fault", kind="media_expired")
    urls = [(await stage.graph("GET", name))["url"] for _ in range(2)]

    assert [(await stage.http.get(url, headers=stage.bearer)).status_code for url in urls] == [404, 200]


async def test_ids_are_never_used_again(stage: Stage) -> None:
    """A file uploaded at the instant another was deleted has an id of its own; the dead are forgotten in the long run."""
    await stage.control("clock", freeze=True)
    first = (await upload(stage)).json()["id"]
    await stage.graph("DELETE", first)
    second = (await upload(stage)).json()["id"]
    shelf = stage.world.media
    for _ in range(300):
        shelf.add(b"x", "text/plain", now=stage.world.now(), is_incoming=True)
    await stage.control("clock", advance="31d")
    for _ in range(300):
        shelf.add(b"x", "text/plain", now=stage.world.now(), is_incoming=True)

    assert first != second
    assert len(shelf) < 400
