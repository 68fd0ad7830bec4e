"""Templates as the gateway needs them: kept for a minute, asked for anew before anything is refused because of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.graph.reading import object_of, word
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.hub.gateway.checks import TemplateFacts
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import WabizError

_FRESH = 60.0
_FRESH_ENOUGH_TO_REFUSE = 5.0
_PATIENCE = 5.0
_AFTER_FAILURE = 30.0
"""Seconds: how long a list is believed, how old it may be where it forbids, how long Meta may take, and how long she is then left alone."""

log = structlog.get_logger("hub.gateway")


class TemplateShelf:
    """The templates of all accounts of this hub. In memory only: they are the business's own texts, and Meta has them."""

    def __init__(self, client: CloudClient, accounts: Sequence[str], clock: Clock) -> None:
        self._client, self._accounts, self._clock = client, tuple(accounts), clock
        self._items: list[dict[str, Any]] = []
        self._loaded_at: float | None = None
        self._failed_at: float | None = None
        self._loading = asyncio.Lock()

    async def about(self, request: SendRequest) -> TemplateFacts:
        """What is known of the template this request names. Never raises: what cannot be found out, Meta judges."""
        template = object_of(request.original.get("template"))
        name, language = word(template.get("name")), word(object_of(template.get("language")).get("code"))
        if not await self._are_younger_than(_FRESH):
            return TemplateFacts(is_known=False)
        facts = self._facts(name, language)
        if facts.status == "APPROVED":
            return facts
        # It may have been made, approved or resumed a moment ago.
        if not await self._are_younger_than(_FRESH_ENOUGH_TO_REFUSE):
            return TemplateFacts(is_known=False)
        return self._facts(name, language)

    async def find(self, identifier: str) -> dict[str, Any] | None:
        """The template of that id, where Meta told of it within the last minute."""
        await self._are_younger_than(_FRESH)
        return next((one for one in self._items if word(one.get("id")) == identifier), None)

    async def named(self, name: str) -> list[dict[str, Any]]:
        """The templates of that name, one a language, where Meta told of them within the last minute; nothing where she did not."""
        return [one for one in self._items if one.get("name") == name] if await self._are_younger_than(_FRESH) else []

    def forget(self) -> None:
        """Something about the templates changed: the next who asks gets them anew."""
        self._loaded_at = None

    def _facts(self, name: str, language: str) -> TemplateFacts:
        named = [one for one in self._items if one.get("name") == name]
        found = next((one for one in named if word(one.get("language")).replace("-", "_") == language.replace("-", "_")), None)
        return TemplateFacts(is_known=True, definition=found, other_languages=tuple(word(one.get("language")) for one in named))

    async def _are_younger_than(self, seconds: float) -> bool:
        """Whether the templates here are no older, loaded now if need be."""
        async with self._loading:
            now = self._clock.monotonic()
            if self._loaded_at is not None and now - self._loaded_at < seconds:
                return True
            if self._failed_at is not None and now - self._failed_at < _AFTER_FAILURE:
                return False
            try:
                async with asyncio.timeout(_PATIENCE):
                    items = [one for account in self._accounts async for one in self._client.templates.list(account)]
            except (WabizError, TimeoutError) as error:
                self._failed_at = self._clock.monotonic()
                log.warning("templates_not_loaded", error=type(error).__name__)
                return False
            self._items = items
            self._loaded_at, self._failed_at = self._clock.monotonic(), None
            return True
