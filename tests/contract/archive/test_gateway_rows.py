"""What the gateway keeps, on both archives: integrations, sends under their key, uploads and whose they are, blocks."""

from pathlib import Path

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import served_hub
from tests.unit.hub.test_gateway_keys import USUAL, make_key, send
from tests.unit.hub.test_gateway_media import PICTURE, bearer, upload
from tests.unit.hub.test_gateway_objects import block


async def test_a_program_works_on_either_archive(ground: Ground, tmp_path: Path) -> None:
    """A key is made, a file goes up, is sent once under its key, comes down again; a block holds until it is taken back."""
    async with served_hub(tmp_path / "home", archive=ground.hub_address) as served:
        await served.incoming()
        key = (await make_key(await served.admin(), permissions=[*USUAL, "contact.block"]))["key"]

        media = (await upload(served, bearer(key))).json()["id"]
        picture = {"type": "image", "image": {"id": media}, "text": None}
        answers = [await send(served, key, idempotency="one", **picture) for _ in range(2)]
        told = await served.http.get(f"/v26.0/{media}", headers=bearer(key))
        fetched = await served.http.get(told.json()["url"], headers=bearer(key))
        served.meta.mode = "break"
        uncertain = await send(served, key, idempotency="two")
        served.meta.mode = "accept"
        blocked = [(await block(served, key)).status_code, (await send(served, key)).status_code]
        blocked += [(await block(served, key, "DELETE")).status_code, (await send(served, key)).status_code]
        history = await served.http.get(
            f"/v26.0/{NUMBER}/message_history", params={"message_id": uncertain.headers["wabiz-message"]}, headers=bearer(key)
        )

        assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
        assert answers[0].text == answers[1].text
        assert (told.json()["mime_type"], fetched.content) == ("image/jpeg", PICTURE)
        assert history.json()["data"][0]["delivery_status"] == "UNCERTAIN"
        assert blocked == [200, 400, 200, 200]
        assert len(served.meta.sent) == 3
