"""Message templates: list, make, change, end (M "Template management"; cloud-api §5)."""

from collections.abc import AsyncIterator
from typing import Any

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.graph.reading import Json

FIELDS = "id,name,language,status,category,parameter_format,components,quality_score,rejected_reason"
"""Fields that every living version knows: one it does not know is an error 100."""


class Templates:
    """Permission `whatsapp_business_management`. What Meta may refuse in a template stands in cloud-api §5.3 and §5.4."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list(
        self,
        waba: str,
        *,
        fields: str = FIELDS,
        limit: int = 100,
        name: str | None = None,
        status: str | None = None,
        category: str | None = None,
        language: str | None = None,
    ) -> AsyncIterator[Json]:
        """All templates of an account that fit, of any status unless one is asked for; `limit` is for a page, not for the list."""
        filters = {"name": name, "status": status, "category": category, "language": language}
        params = {"fields": fields, "limit": limit} | {key: value for key, value in filters.items() if value is not None}
        return self._calls.pages(waba, "message_templates", params=params)

    async def get(self, template: str, *, fields: str = FIELDS) -> Json:
        return await self._calls.get(template, params={"fields": fields})

    async def create(self, waba: str, body: dict[str, Any]) -> Json:
        """`{id, status, category}`: in review for minutes to a day; a hundred an hour for an account."""
        return await self._calls.post(waba, "message_templates", body=body)

    async def edit(self, template: str, body: dict[str, Any]) -> Json:
        """Replaces all components and goes back to review; once a day, and only when approved, rejected or paused."""
        return await self._calls.post(template, body=body)

    async def delete(self, waba: str, name: str, *, template: str | None = None) -> None:
        """All languages of `name`, or the one whose id is `template`. The name stays reserved for 30 days."""
        params = {"name": name} if template is None else {"name": name, "hsm_id": template}
        await self._calls.delete(waba, "message_templates", params=params)

    async def unpause(self, template: str) -> Json:
        """For one that pacing has paused."""
        return await self._calls.post(template, "unpause")
