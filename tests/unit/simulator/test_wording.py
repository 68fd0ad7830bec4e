"""Refusals read as Graph's own do where public error reports show them."""

import pytest

from tests.support.simulator_stage import NUMBER, staged

WORDS = {
    10: (403, "(#10) Application does not have permission for this action"),
    130429: (400, "(#130429) Rate limit hit"),
    131026: (400, "(#131026) Message undeliverable"),
    131030: (400, "(#131030) Recipient phone number not in allowed list"),
    131031: (403, "(#131031) Account has been locked"),
    131047: (400, "(#131047) Re-engagement message"),
    131056: (400, "(#131056) (Business Account, Consumer Account) pair rate limit hit"),
    132001: (404, "(#132001) Template name does not exist in the translation"),
    132012: (400, "(#132012) Parameter format does not match format in the created template"),
    133010: (400, "(#133010) Account not registered"),
}


@pytest.mark.parametrize("code", WORDS)
async def test_a_refusal_reads_as_graphs(code: int) -> None:
    """HTTP status, `message`, `type`, `error_data` and a trace, in the one shape."""
    async with staged() as stage:
        await stage.control("fault", kind="fail_next", code=code)
        status, message = WORDS[code]
        body = {"messaging_product": "whatsapp", "to": "+4915730000077", "text": {"body": "x"}}
        error = await stage.refused("POST", f"{NUMBER}/messages", body, expect=status)

        assert (error["message"], error["type"], error["code"]) == (message, "OAuthException", code)
        assert error["error_data"]["messaging_product"] == "whatsapp"
        assert error["error_data"]["details"]
        assert error["fbtrace_id"]
