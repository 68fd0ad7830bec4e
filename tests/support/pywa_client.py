"""pywa, a Cloud API client of other people's making, turned to the simulator by its base URL alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pywa
import pywa_async

from tests.support.simulator_process import APP_SECRET, NUMBER, TOKEN, VERIFY, WABA

APP = "670843887433847"


def own_parts(**more: Any) -> dict[str, Any]:
    """What a business tells pywa of itself."""
    return {"phone_id": NUMBER, "token": TOKEN, "waba_id": WABA, "app_id": APP, "app_secret": APP_SECRET, "verify_token": VERIFY, **more}


@contextmanager
def pywa_client(url: str, **more: Any) -> Iterator[pywa.WhatsApp]:
    """pywa writes Meta's address into the session it is handed; the session is ours, and only its base URL is set anew."""
    with httpx.Client(trust_env=False, timeout=60) as session:
        client = pywa.WhatsApp(**own_parts(session=session, **more))
        session.base_url = rebased(url, session.base_url)
        yield client


def pywa_async_client(url: str, session: httpx.AsyncClient, **more: Any) -> pywa_async.WhatsApp:
    """The same of pywa's async half; the session is closed by whoever made it."""
    client = pywa_async.WhatsApp(**own_parts(session=session, **more))
    session.base_url = rebased(url, session.base_url)
    return client


def rebased(url: str, metas: httpx.URL) -> str:
    """`url` with the version pywa asks for."""
    return f"{url}{metas.path.rstrip('/')}"
