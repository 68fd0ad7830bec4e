"""What Meta tells of its quota."""

import contextlib
from datetime import timedelta

import pytest

from tests.support.cloud_wire import answering, cloud_at, http, listening
from wabiz_tui.cloud.outcomes import Refused
from wabiz_tui.cloud.usage import Usage, parse_usage

BUSINESS = (
    '{"102290129340398":[{"type":"whatsapp","call_count":12,"total_cputime":90,"total_time":"31","estimated_time_to_regain_access":7}]}'
)


def test_the_highest_share_counts() -> None:
    """The fullest of all shares, and the time until calls are taken again."""
    assert parse_usage({"x-business-use-case-usage": BUSINESS, "x-app-usage": '{"call_count":28}'}) == Usage(90, timedelta(minutes=7))
    assert parse_usage({"x-app-usage": '{"call_count":28,"total_time":25}'}) == Usage(28, timedelta())


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"a":7}', '{"a":[7]}', '{"call_count":"many"}', '{"call_count":1e999}', "{" * 9000])
def test_what_cannot_be_read(text: str) -> None:
    """Nothing readable is nothing told."""
    assert parse_usage({"x-app-usage": text, "x-business-use-case-usage": text}) is None


async def test_it_is_kept_from_refusals_as_well() -> None:
    """The last that was told stands at the client, until another is."""
    answers = (
        http(200, b"{}", f"X-Business-Use-Case-Usage: {BUSINESS}"),
        http(400, b"{}"),
        http(400, b"", 'X-App-Usage: {"call_count":99}'),
    )
    async with listening(answering(*answers)) as url, cloud_at(url) as cloud:
        seen = list[float | None]()
        for _ in answers:
            with contextlib.suppress(Refused):
                await cloud.numbers.info("1")
            seen.append(cloud.usage.percent if cloud.usage is not None else None)

    assert seen == [90, 90, 99]
