"""Templates of the pretend account: created, reviewed, edited, paused, paced, deleted; each told by its webhook."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, WABA, Stage, staged

TEMPLATES = f"{WABA}/message_templates"
MINE: dict[str, Any] = {
    "name": "parcel_there",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}},
        {"type": "BODY", "text": "Hello {{1}}, your parcel is at {{2}} now.", "example": {"body_text": [["Ana", "shop 4"]]}},
        {"type": "FOOTER", "text": "Reply STOP to end"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Thanks"},
                {"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}", "example": ["https://shop.example/1"]},
            ],
        },
    ],
}
IMAGE = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://shop.example/a.png"}}]}
BODY = {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "shop 5"}]}
LINK = {"type": "URL", "text": "Look", "url": "https://shop.example"}
LONG = {"type": "body", "parameters": [{"type": "text", "text": "a" * 1000}, {"type": "text", "text": "b" * 100}]}
TRACK = {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "77"}]}


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


def text_template(name: str, body: str = "Thank you for your visit.", **more: Any) -> dict[str, Any]:
    return {"name": name, "language": "en", "category": "UTILITY", "components": [{"type": "BODY", "text": body}], **more}


async def told(stage: Stage, field: str, number: int = 1) -> list[dict[str, Any]]:
    """The first webhooks of a field."""
    return await stage.hub.until(lambda: found if len(found := stage.hub.told_of(field)) >= number else None)


async def send_template(
    stage: Stage, name: str, *components: dict[str, Any], language: str = "en", **more: Any
) -> tuple[int, dict[str, Any]]:
    template = {"name": name, "language": {"code": language}, "components": list(components)}
    answer = await stage.send(type="template", text=None, template=template, **more)
    return answer.status_code, answer.json()


async def test_created_reviewed_and_sent(stage: Stage) -> None:
    """A new template is PENDING and cannot be sent; once approved, with its webhook, it goes out at any time."""
    await stage.control("account", reviews=False)
    made = await stage.graph("POST", TEMPLATES, MINE)
    too_early = await send_template(stage, "parcel_there", IMAGE, BODY, TRACK)
    await stage.control("template", id=made["id"], status="APPROVED")
    (event,) = await told(stage, "message_template_status_update")
    status, accepted = await send_template(stage, "parcel_there", IMAGE, BODY, TRACK)
    found = await stage.graph("GET", made["id"], fields="status,components")

    assert (made["status"], made["category"]) == ("PENDING", "UTILITY")
    assert too_early[1]["error"]["code"] == 132001
    assert (event["event"], event["message_template_id"], event["message_template_name"]) == ("APPROVED", int(made["id"]), "parcel_there")
    assert (status, accepted["messages"][0]["message_status"]) == (200, "accepted")
    assert (found["status"], found["components"]) == ("APPROVED", MINE["components"])


async def test_approved_by_itself_or_rejected(stage: Stage) -> None:
    """The review ends by itself after a while; a rejection names its reason and is edited back into review."""
    await stage.graph("POST", TEMPLATES, text_template("by_itself"))
    (approved,) = await told(stage, "message_template_status_update")
    await stage.control("account", reviews=False)
    made = await stage.graph("POST", TEMPLATES, text_template("not_so"))
    await stage.control("template", name="not_so", language="en", status="REJECTED", reason="ABUSIVE_CONTENT")
    (_, rejected) = await told(stage, "message_template_status_update", 2)
    shown = await stage.graph("GET", made["id"])
    await stage.graph("POST", made["id"], {"components": [{"type": "BODY", "text": "Kinder words."}]})

    assert (approved["event"], approved["message_template_name"]) == ("APPROVED", "by_itself")
    assert (rejected["event"], rejected["reason"], shown["rejected_reason"]) == ("REJECTED", "ABUSIVE_CONTENT", "ABUSIVE_CONTENT")
    assert (await stage.graph("GET", made["id"]))["status"] == "PENDING"


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        (text_template("Wrong Name"), {100}),
        (text_template("t", "x" * 1025), {2388040}),
        (text_template("t", "{{1}} at the start", components=[{"type": "BODY", "text": "{{1}} at the start"}]), {2388299}),
        ({**text_template("t"), "category": "NEWS"}, {100, 131009}),
        ({key: value for key, value in text_template("t").items() if key != "language"}, {100, 131008}),
        (text_template("t", components=[{"type": "FOOTER", "text": "no body"}]), {2388072}),
        (text_template("t", components=[{"type": "BODY", "text": "b"}, {"type": "FOOTER", "text": "x" * 61}]), {2388040}),
        (
            text_template("t", components=[{"type": "BODY", "text": "b"}, {"type": "BUTTONS", "buttons": [LINK] * 3}]),
            {100},
        ),
    ],
)  # fmt: skip
async def test_definitions_that_break_a_limit(stage: Stage, wrong: dict[str, Any], codes: set[int]) -> None:
    """A definition that breaks one of Meta's limits is refused with its code, and with words for the eye where it is a creation code."""
    error = await stage.refused("POST", TEMPLATES, wrong)

    assert error["code"] in codes
    if error["code"] > 2388000:
        assert (error["error_subcode"], bool(error["error_user_title"]), bool(error["error_user_msg"])) == (error["code"], True, True)


async def test_names_that_are_taken_or_reserved(stage: Stage) -> None:
    """A name with a language exists once; deleted in all languages it is reserved for thirty days; one language alone is not."""
    await stage.graph("POST", TEMPLATES, text_template("twice"))
    taken = await stage.refused("POST", TEMPLATES, text_template("twice"))
    german = await stage.graph("POST", TEMPLATES, {**text_template("twice"), "language": "de"})
    await stage.graph("DELETE", TEMPLATES, name="twice", hsm_id=german["id"])
    left = await stage.graph("GET", TEMPLATES, name="twice", fields="language")
    await stage.graph("DELETE", TEMPLATES, name="twice")
    reserved = await stage.refused("POST", TEMPLATES, text_template("twice"))
    gone = await stage.refused("DELETE", TEMPLATES, name="twice")
    await stage.control("clock", advance="31d")

    assert (taken["code"], taken["error_subcode"]) == (100, 2388024)
    assert [one["language"] for one in left["data"]] == ["en"]
    assert (reserved["error_subcode"], gone["error_subcode"]) == (2388023, 2593002)
    assert (await stage.graph("POST", TEMPLATES, text_template("twice")))["status"] == "PENDING"


async def test_how_many_templates(stage: Stage) -> None:
    """Above the hourly and the whole number of creations the account is told so."""
    stage.world.templates.per_hour = 1
    await stage.graph("POST", TEMPLATES, text_template("one"))
    hourly = await stage.refused("POST", TEMPLATES, text_template("two"))
    await stage.control("clock", advance="61m")
    stage.world.templates.most = 12
    full = await stage.refused("POST", TEMPLATES, text_template("two"))

    assert (hourly["code"], full["code"]) == (80007, 2388019)


async def test_rules_of_editing(stage: Stage) -> None:
    """What is pending cannot be edited; an approved one once a day, and its category never; an edit goes back to review."""
    pending = next(one for one in stage.world.templates.items if one["status"] == "PENDING")
    approved = stage.world.templates.find("hello_world", "en_US")
    assert approved is not None
    edit = {"components": [{"type": "BODY", "text": "Welcome again!"}]}

    early = await stage.refused("POST", pending["id"], edit)
    category = await stage.refused("POST", approved["id"], {"category": "MARKETING"})
    await stage.graph("POST", approved["id"], edit)
    await told(stage, "message_template_status_update")
    (components,) = await told(stage, "message_template_components_update")
    again = await stage.refused("POST", approved["id"], edit)
    await stage.control("clock", advance="25h")

    assert {early["code"], category["code"], again["code"]} == {2388039}
    assert components["message_template_element"] == "Welcome again!"
    assert (await stage.graph("POST", approved["id"], edit))["success"]


async def test_bad_quality_pauses_then_disables(stage: Stage) -> None:
    """RED pauses for three hours, then for six, then for good; sends are refused by the state's code; each step is told."""
    codes: list[Any] = []
    for hours in (3, 6, None):
        await stage.control("template", name="hello_world", quality="RED")
        codes.append((await send_template(stage, "hello_world", language="en_US"))[1]["error"]["code"])
        if hours is not None:
            await stage.control("clock", advance=f"{hours}h")
            await stage.hub.until(lambda: _is_approved(stage))
    events = await told(stage, "message_template_status_update", 5)
    qualities = await told(stage, "message_template_quality_update", 3)

    assert codes == [132015, 132015, 132016]
    assert sorted((one["event"], one["other_info"]["title"]) for one in events) == [
        ("APPROVED", "UNPAUSE"), ("APPROVED", "UNPAUSE"), ("DISABLED", "DISABLED"), ("PAUSED", "FIRST_PAUSE"), ("PAUSED", "SECOND_PAUSE"),
    ]  # fmt: skip
    assert {one["new_quality_score"] for one in qualities} == {"RED"}


def _is_approved(stage: Stage) -> bool:
    found = stage.world.templates.find("hello_world", "en_US")
    return found is not None and found["status"] == "APPROVED"


async def test_pacing_holds_then_releases_or_drops(stage: Stage) -> None:
    """Held messages say so in the answer; released they are delivered, dropped they fail with 132015 and the template is paused."""
    await stage.control("template", name="hello_world", held=2)
    held = [(await send_template(stage, "hello_world", language="en_US"))[1]["messages"][0] for _ in range(3)]
    await stage.hub.until(lambda: any(status["id"] == held[2]["id"] for status in stage.hub.values("statuses")))
    early = {status["id"] for status in stage.hub.values("statuses")}
    await stage.control("template", name="hello_world", release=True)
    await stage.hub.until(lambda: {one["id"] for one in held} <= {status["id"] for status in stage.hub.values("statuses")})
    await stage.control("template", name="hello_world", held=1)
    (last,) = (await send_template(stage, "hello_world", language="en_US"))[1]["messages"]
    await stage.control("template", name="hello_world", drop=True)
    failed = await stage.hub.until(lambda: [one for one in stage.hub.values("statuses") if one["id"] == last["id"]])
    item = stage.world.templates.find("hello_world", "en_US")
    assert item is not None
    by_hand = await stage.graph("POST", f"{item['id']}/unpause", {})
    not_paused = await stage.refused("POST", f"{item['id']}/unpause", {})

    assert [one["message_status"] for one in held] == ["held_for_quality_assessment", "held_for_quality_assessment", "accepted"]
    assert early == {held[2]["id"]}
    assert (failed[0]["status"], failed[0]["errors"][0]["code"]) == ("failed", 132015)
    assert (by_hand, not_paused["code"]) == ({"success": True}, 100)


async def test_pause_by_pacing_does_not_end_by_itself(stage: Stage) -> None:
    """The end of an earlier pause for quality, unpaused by hand meanwhile, does not end the pause that pacing made."""
    item = stage.world.templates.find("hello_world", "en_US")
    assert item is not None
    await stage.control("template", name="hello_world", quality="RED")
    await stage.control("template", name="hello_world", unpause=True)
    await stage.control("template", name="hello_world", drop=True)
    await stage.control("clock", advance="4h")
    await stage.write("told after whatever fell due")

    assert (await stage.graph("GET", item["id"], fields="status"))["status"] == "PAUSED"


async def test_category_is_changed_with_a_days_notice(stage: Stage) -> None:
    """The announcement's new_category is still the old one; a day later the change is in force and told."""
    await stage.control("template", name="hello_world", category="MARKETING")
    (notice,) = await told(stage, "template_category_update")
    await stage.control("clock", advance="25h")
    (_, done) = await told(stage, "template_category_update", 2)

    assert (notice["correct_category"], notice["new_category"]) == ("MARKETING", "UTILITY")
    assert (done["previous_category"], done["new_category"]) == ("UTILITY", "MARKETING")
    assert (await stage.graph("GET", TEMPLATES, name="hello_world"))["data"][0]["category"] == "MARKETING"


async def test_lists_are_filtered(stage: Stage) -> None:
    """By status, category, language, part of the name and words of the text; `fields` and `limit` hold as everywhere."""
    asked: list[dict[str, Any]] = [
        {"status": "APPROVED"}, {"category": "marketing"}, {"language": "de,ar"}, {"name": "missed"}, {"content": "yres"},
        {"status": '["PAUSED","DISABLED"]'},
    ]  # fmt: skip
    counts = [len((await stage.graph("GET", TEMPLATES, **filters))["data"]) for filters in asked]
    summed = await stage.graph("GET", TEMPLATES, summary="total_count", limit=2)

    assert counts == [7, 4, 2, 3, 1, 2]
    assert (summed["summary"]["total_count"], len(summed["data"])) == (11, 2)


@pytest.mark.parametrize(
    ("components", "codes"),
    [
        ([IMAGE, TRACK], {132000}),
        ([BODY, TRACK], {132000, 132012}),
        ([IMAGE, BODY], {131008, 132000}),
        ([{"type": "header", "parameters": [{"type": "text", "text": "x"}]}, BODY, TRACK], {132012}),
        ([IMAGE, {"type": "body", "parameters": [{"type": "text", "text": "a\nb"}, {"type": "text", "text": "b"}]}, TRACK], {132018}),
        ([IMAGE, LONG, TRACK], {132005}),
        ([IMAGE, BODY, {**TRACK, "index": 7}], {131009, 132000, 132012}),
        ([IMAGE, BODY, {**TRACK, "sub_type": "copy_code", "parameters": [{"type": "coupon_code", "coupon_code": "A"}]}], {132012}),
        ([{"type": "header", "parameters": [{"type": "image", "image": {"id": "404"}}]}, BODY, TRACK], {131009}),
    ],
)  # fmt: skip
async def test_sends_that_do_not_fit(stage: Stage, components: list[dict[str, Any]], codes: set[int]) -> None:
    """Too many, too few, of the wrong kind, too long or not plain: each is refused by its code, with details that name the place."""
    made = await stage.graph("POST", TEMPLATES, MINE)
    await stage.control("template", id=made["id"], status="APPROVED")

    status, answer = await send_template(stage, "parcel_there", *components)

    assert (status, answer["error"]["code"] in codes) == (400, True), answer
    assert any(place in answer["error"]["error_data"]["details"] for place in ("template", "body"))
    assert (await stage.ask("sent"))["count"] == 0


async def test_offers_cards_and_codes(stage: Stage) -> None:
    """An offer must not be over, a carousel has its cards, a code is the same in body and button and is not sent by user id."""
    card = {"components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}},
        {"type": "BODY", "text": "One of two."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "This"}]},
    ]}  # fmt: skip
    definitions = [
        {"name": "offer", "language": "en", "category": "MARKETING", "components": [
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}},
            {"type": "BODY", "text": "Half off."},
            {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "example": "HALF"}]},
        ]},
        {"name": "cards", "language": "en", "category": "MARKETING", "components": [
            {"type": "BODY", "text": "Choose."}, {"type": "CAROUSEL", "cards": [card, card]},
        ]},
        {"name": "code", "language": "en", "category": "AUTHENTICATION", "components": [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
        ]},
    ]  # fmt: skip
    for definition in definitions:
        made = await stage.graph("POST", TEMPLATES, definition)
        await stage.control("template", id=made["id"], status="APPROVED")
    await stage.control("inbound", user_id="BR.77", name="Ana", text="Oi")
    ends = int((stage.world.now().timestamp() + 3600) * 1000)
    coupon = {"type": "button", "sub_type": "copy_code", "index": 0, "parameters": [{"type": "coupon_code", "coupon_code": "HALF"}]}
    sent_card = {"components": [IMAGE]}
    code = {"type": "body", "parameters": [{"type": "text", "text": "123456"}]}
    button = {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "123456"}]}

    def offer(milliseconds: int) -> dict[str, Any]:
        return {"type": "limited_time_offer", "parameters": [
            {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": milliseconds}},
        ]}  # fmt: skip

    def carousel(*cards: dict[str, Any]) -> dict[str, Any]:
        return {"type": "carousel", "cards": [{"card_index": index, **one} for index, one in enumerate(cards)]}

    fine = [
        await send_template(stage, "offer", offer(ends), coupon),
        await send_template(stage, "cards", carousel(sent_card, sent_card)),
        await send_template(stage, "code", code, button),
    ]
    wrong = [
        await send_template(stage, "offer", offer(1000), coupon),
        await send_template(stage, "offer", offer(ends)),
        await send_template(stage, "cards", carousel(sent_card, sent_card, sent_card)),
        await send_template(stage, "code", code, {**button, "parameters": [{"type": "text", "text": "other"}]}),
        await send_template(stage, "code", code, button, to=None, recipient="BR.77"),
    ]

    assert [status for status, _ in fine] == [200] * 3, fine
    assert [answer["error"]["code"] for _, answer in wrong] == [132012, 131008, 132000, 132012, 131062]


async def test_marketing_has_rules_of_its_own(stage: Stage) -> None:
    """Who opted out fails with 131050, the United States and what is too much for one person with 131049; turned off, 131063."""
    for name in ("news", "more_news"):
        made = await stage.graph("POST", TEMPLATES, {**text_template(name), "category": "MARKETING"})
        await stage.control("template", id=made["id"], status="APPROVED")
    await stage.control("account", marketing_per_person=1)
    stopped = stage.world.people.meet(wa_id="4915730000088")
    stopped.wants_marketing = False
    sent = [
        (await send_template(stage, name, to=to))[1]["messages"][0]["id"]
        for name, to in (("news", "+4915730000088"), ("news", "+12025550123"), ("news", f"+{CUSTOMER}"), ("more_news", f"+{CUSTOMER}"))
    ]
    await stage.hub.until(lambda: set(sent) <= {status["id"] for status in stage.hub.values("statuses")})
    failed = {one["id"]: one["errors"][0]["code"] for one in stage.hub.values("statuses") if one["status"] == "failed"}
    api = await stage.http.post(
        f"/v26.0/{NUMBER}/marketing_messages",
        json={"messaging_product": "whatsapp", "to": f"+{CUSTOMER}", "type": "text", "text": {"body": "Hi"}},
        headers=stage.bearer,
    )
    await stage.control("account", marketing=False)
    off = await send_template(stage, "news")

    assert [failed.get(one) for one in sent] == [131050, 131049, None, 131049]
    assert api.json()["error"]["code"] == 131055
    assert off[1]["error"]["code"] == 131063
