"""The peer of the webhook bench: pywa's asynchronous server with signature checking on and one handler, which keeps nothing."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from pywa_async.client import WhatsApp
from starlette.applications import Starlette

PATH = "/meta"


def main() -> None:
    port, secret = int(sys.argv[1]), sys.stdin.readline().strip()
    app = Starlette()
    client = WhatsApp(
        phone_id="106540352242922", token="none", server=app, webhook_endpoint=PATH, verify_token="verify", app_secret=secret,  # noqa: S106 no secrets
        waba_id="419561257915477",
    )  # fmt: skip

    @client.on_message
    async def heard(_client: Any, _message: Any) -> None:  # pyright: ignore[reportUnusedFunction] pywa keeps it
        return

    @client.on_message_status
    async def told(_client: Any, _status: Any) -> None:  # pyright: ignore[reportUnusedFunction] pywa keeps it
        return

    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False, loop="uvloop", http="httptools")
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
