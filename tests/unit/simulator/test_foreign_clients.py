"""What other Cloud API clients do differently, as Meta takes it from them."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, Stage, staged
from wabiz_tui.simulator.customers.pictures import sample


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    async with staged() as one:
        await one.write()
        yield one


async def test_contents_written_as_text(stage: Stage) -> None:
    """The object of the type may be JSON written out as text, as whatsapp-api-js sends contacts; words stay words."""
    contacts = '[{"name": {"formatted_name": "A B", "first_name": "A"}, "phones": [{"phone": "+4930123"}]}]'
    listed = await stage.send(type="contacts", contacts=contacts, biz_opaque_callback_data='{"outbox": 1}')
    body = {"messaging_product": "whatsapp", "to": f"+{CUSTOMER}", "type": "text", "text": '{"body": "[not a list]"}'}
    await stage.graph("POST", f"{NUMBER}/messages", {**body, "context": '{"message_id": "wamid.x"}'})

    sent = (await stage.ask("sent"))["sent"]
    assert listed.status_code == 200, listed.text
    assert [one["text"] for one in sent] == [None, "[not a list]"]
    assert sent[0]["callback_data"] == '{"outbox": 1}'


async def test_an_upload_may_name_its_kind(stage: Stage) -> None:
    """`type=image` is no MIME type: the part's own counts then; a MIME type that is none of Meta's is still refused."""
    picture = sample("image", "default")[0]

    async def upload(kind: str) -> int:
        parts = {"messaging_product": "whatsapp", "type": kind}
        files = {"file": ("a.png", picture, "image/png")}
        return (await stage.http.post(f"/v26.0/{NUMBER}/media", data=parts, files=files, headers=stage.bearer)).status_code

    assert [await upload(kind) for kind in ("image", "image/png", "image/bmp")] == [200, 200, 400]


async def test_a_qr_code_edited_by_its_path(stage: Stage) -> None:
    """A message link is edited by a POST on itself too, with the words in the query."""
    code = (await stage.graph("POST", f"{NUMBER}/message_qrdls", {"prefilled_message": "Hello"}))["code"]
    edited = await stage.graph("POST", f"{NUMBER}/message_qrdls/{code}", prefilled_message="Good day")
    unknown = await stage.refused("POST", f"{NUMBER}/message_qrdls/ABCDEFGHIJKLMN", prefilled_message="Good day")

    assert (edited["code"], edited["prefilled_message"]) == (code, "Good day")
    assert unknown["code"] == 100


async def test_who_may_be_called(stage: Stage) -> None:
    """Nobody may be called before they allowed it; a permission ends after seven days or never; one may ask once a day."""

    async def asked(phone: str = CUSTOMER) -> tuple[str, dict[str, bool]]:
        told = await stage.graph("GET", f"{NUMBER}/call_permissions", user_wa_id=phone)
        return told["permission"]["status"], {one["action_name"]: one["can_perform_action"] for one in told["actions"]}

    before = await asked()
    request = {"type": "call_permission_request", "action": {"name": "call_permission_request"}}
    sent = (await stage.send(type="interactive", interactive=request)).json()["messages"][0]["id"]
    waiting = await asked()
    await stage.control("inbound", tap={"wamid": sent, "button": 0})
    allowed = await asked()
    await stage.control("clock", advance="8d")
    ended = await asked()
    permanent = {"type": "call_permission_reply", "call_permission_reply": {"response": "accept", "is_permanent": True}}
    await stage.control("inbound", **{"from": CUSTOMER, "message": {"type": "interactive", "interactive": permanent}})

    assert before == ("no_permission", {"send_call_permission_request": True, "start_call": False})
    assert waiting == ("no_permission", {"send_call_permission_request": False, "start_call": False})
    assert allowed == ("temporary", {"send_call_permission_request": False, "start_call": True})
    assert ended == ("no_permission", {"send_call_permission_request": True, "start_call": False})
    assert (await asked())[0] == "permanent"
    assert (await asked("+49 30 999999"))[0] == "no_permission"
    assert (await stage.refused("GET", f"{NUMBER}/call_permissions"))["code"] == 100
