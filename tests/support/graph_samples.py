"""Meta's published examples, hand-made webhook parts, and a way to see that nothing of them was lost."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "fixtures"
METADATA = {"display_phone_number": "15550000001", "phone_number_id": "100000000000001"}


def published(folder: str) -> list[Any]:
    """One pytest parameter a file of Meta's examples; a single skipped one (failing in CI) where they are absent."""
    files = sorted((SHARED / folder).glob("*.json"))
    if files:
        return [pytest.param(file, id=file.stem) for file in files]
    is_ci = bool(os.environ.get("CI"))
    marks = [] if is_ci else [pytest.mark.skip(reason=f"Meta's examples are not beside the checkout (../shared/fixtures/{folder})")]
    return [pytest.param(SHARED / folder / "absent.json", id="absent", marks=marks)]


def webhook(field: str, *values: dict[str, Any], waba: str = "419561257915477") -> bytes:
    """A body with one change for each value."""
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [{"field": field, "value": value} for value in values]}]}
    ).encode()


def incoming(message: dict[str, Any], **value: Any) -> bytes:
    """A webhook with one message of Ana's."""
    whole = {"from": "5511900000001", "id": "wamid.ONE", "timestamp": "1790000000", **message}
    contacts = [{"profile": {"name": "Ana"}, "wa_id": "5511900000001"}]
    return webhook("messages", {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": contacts, "messages": [whole], **value})


def status(**parts: Any) -> bytes:
    """A webhook with one status."""
    whole = {"id": "wamid.TWO", "status": "delivered", "timestamp": "1790000060", "recipient_id": "5511900000001", **parts}
    return webhook("messages", {"messaging_product": "whatsapp", "metadata": METADATA, "statuses": [whole]})


def leaves(value: Any) -> set[str]:
    """All keys and scalar values, as text."""
    if isinstance(value, dict):
        return {str(key) for key in value} | {leaf for item in value.values() for leaf in leaves(item)}
    if isinstance(value, list | tuple):
        return {leaf for item in value for leaf in leaves(item)}
    return {str(value)}


def told(parsed: Any) -> set[str]:
    """All keys and scalar values that parsed values hold."""
    return leaves(msgspec.to_builtins(parsed))
