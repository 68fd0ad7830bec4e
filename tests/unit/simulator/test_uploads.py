"""Samples and pictures go up in sessions that can be resumed."""

from typing import Any

import httpx
import pytest

from tests.support.simulator_stage import Stage, staged
from wabiz_tui.simulator.options import SimulatorOptions

APP = SimulatorOptions(waba_id="1", phone_number_ids=("2",)).app_id
CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(24)


async def begin(stage: Stage, **changed: Any) -> httpx.Response:
    told = {"file_name": "a.png", "file_length": len(CONTENT), "file_type": "image/png", **changed}
    return await stage.http.post(f"/v26.0/{APP}/uploads", params=told, headers=stage.bearer)


async def send(stage: Stage, session: str, content: bytes, offset: int) -> httpx.Response:
    headers = {**stage.bearer, "file_offset": str(offset)}
    return await stage.http.post(f"/v26.0/{session}", content=content, headers=headers)


async def test_upload_is_resumed_where_it_broke_off() -> None:
    """A session tells how much came; the handle comes with the last byte."""
    async with staged() as stage:
        session = (await begin(stage)).json()["id"]

        part = await send(stage, session, CONTENT[:10], 0)
        found = await stage.http.get(f"/v26.0/{session}", headers=stage.bearer)
        whole = await send(stage, session, CONTENT[10:], 10)

    assert part.json() == found.json() == {"id": session, "file_offset": 10}
    assert whole.json()["h"].startswith("4::")


async def test_what_does_not_fit_the_session_is_refused() -> None:
    """A wrong offset, too many bytes, a type that is no sample's and a size that is none are refused with 100."""
    async with staged() as stage:
        session = (await begin(stage)).json()["id"]

        refused = [
            await send(stage, session, CONTENT, 5),
            await send(stage, session, CONTENT + b"x", 0),
            await send(stage, "upload:unknown", CONTENT, 0),
            await begin(stage, file_type="image/webp"),
            await begin(stage, file_length=0),
            await begin(stage, file_length=200_000_000),
        ]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [(400, 100)] * len(refused)


@pytest.mark.parametrize(("changed", "code"), [({"client_secret": "another"}, 1), ({"client_id": "1"}, 101), ({"grant_type": "code"}, 100)])
async def test_app_token_is_for_who_knows_the_secret(changed: dict[str, str], code: int) -> None:
    """The app's own token is answered to its id and secret without any token; anything else is refused."""
    asked = {"client_id": APP, "client_secret": "test_app_secret", "grant_type": "client_credentials"}
    async with staged() as stage:
        answer = await stage.http.get("/v26.0/oauth/access_token", params=asked)
        refused = await stage.http.get("/v26.0/oauth/access_token", params=asked | changed)

    assert answer.json() == {"access_token": f"{APP}|test_app_secret", "token_type": "bearer"}
    assert refused.json()["error"]["code"] == code
