"""Meta's own examples of sends: read, judged, and made again from typed values."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.graph_samples import SHARED, published
from wabiz_tui.graph import interactive, templates
from wabiz_tui.graph.cards import Address, Email, Name, Organisation, Phone, Url, contact_card
from wabiz_tui.graph.limits import check, refusal
from wabiz_tui.graph.requests import ReadRequest, build_message, build_read, parse_request
from wabiz_tui.model.content import Audio, ContactCards, Content, Document, Image, Location, Reaction, Sticker, Template, Video
from wabiz_tui.model.errors import CloudError, LimitBroken

SPECIFICATION = SHARED.parent / "reference" / "meta-business-messaging-v23.yaml"
SOMEBODY = "+16505551234"
# The README beside the examples asks to put real values in before formats are validated.
PLACEHOLDERS = {
    "{{Recipient-Phone-Number}}": SOMEBODY,
    "<http(s)://": "https://",
    "http(s)://": "https://",
    "-url>": "-url",
    "<HEADER_TYPE>": "text",
}

QUOTED = {"reply_to": "<MSGID_OF_MSG_YOU_ARE_REPLYING_TO>"}
LEGACY = {
    "type": "body",
    "parameters": [
        {"type": "text", "text": "text-string"},
        {"type": "currency", "currency": {"fallback_value": "$100.99", "code": "USD", "amount_1000": 100990}},
        {
            "type": "date_time",
            "date_time": {
                "fallback_value": "February 25, 1977", "day_of_week": 5, "year": 1977, "month": 2, "day_of_month": 25, "hour": 15,
                "minute": 33, "calendar": "GREGORIAN",
            },
        },
    ],
}  # fmt: skip
FLOW: dict[str, Any] = {
    "token": "<FLOW_TOKEN>",
    "action": "navigate",
    "screen": "<SCREEN_ID>",
    "data": {"<CUSTOM_KEY>": "<CUSTOM_VALUE>"},
}
HIDDEN = "Not shown in draft mode"


def _draft(**named: str) -> Content:
    return interactive.flow(HIDDEN, HIDDEN, **named, **FLOW, is_draft=True, header=HIDDEN, footer=HIDDEN)


def _john() -> ContactCards:
    return ContactCards(
        (
            contact_card(
                Name("John Smith", "John", "Smith", "D.", "Dr", "Jr"),
                phones=[Phone("+1 (940) 555-1234", "HOME"), Phone("+1 (650) 555-1234", "WORK", "16505551234")],
                emails=[Email("test@fb.com", "WORK"), Email("test@whatsapp.com", "HOME")],
                urls=[Url("https://www.facebook.com", "WORK"), Url("https://www.whatsapp.com", "HOME")],
                addresses=[
                    Address("1 Hacker Way", "Menlo Park", "CA", "94025", "United States", "us", "HOME"),
                    Address("200 Jefferson Dr", "Menlo Park", "CA", "94025", "United States", "us", "WORK"),
                ],
                organisation=Organisation("WhatsApp", "Design", "Manager"),
                birthday=date(2012, 8, 18),
            ),
        )
    )


MADE: dict[str, tuple[Content, dict[str, Any]]] = {
    "send-audio-message-by-id": (Audio(id="<AUDIO_OBJECT_ID>"), {}),
    "send-catalog-message": (
        interactive.catalog(
            "Hello! Thanks for your interest. Ordering is easy. Just visit our catalog and add items to purchase.",
            thumbnail="2lc20305pt",
            footer="Best grocery deals on WhatsApp!",
        ),
        {},
    ),
    "send-catalog-template-message": (
        templates.template("intro_catalog_offer", "en_US", templates.body("100", "400", "3"), templates.catalog(0, "2lc20305pt")),
        {},
    ),
    "send-contact-message": (_john(), {}),
    "send-document-message-by-url": (Document(link="https://document-url", caption="<DOCUMENT-CAPTION-TEXT>"), {}),
    "send-draft-flow-by-id": (_draft(flow_id="{{Flow-ID}}"), {}),
    "send-draft-flow-by-name": (_draft(flow_name="{{Flow-Name}}"), {}),
    "send-flow-template-message": (
        templates.template(
            "<TEMPLATE_NAME>", "en_US", templates.flow(0, templates.FlowInput("<FLOW_TOKEN>", {"<CUSTOM_KEY>": "<CUSTOM_VALUE>"}))
        ),
        {},
    ),
    "send-image-message-by-id": (Image(id="<IMAGE_OBJECT_ID>"), {}),
    "send-multi-product-message": (
        interactive.product_list(
            "<YOUR_TEXT_HEADER_CONTENT>",
            "<YOUR_TEXT_BODY_CONTENT>",
            "146265584024623",
            [
                interactive.ProductSection(["<YOUR_PRODUCT1_SKU_IN_CATALOG>", "<YOUR_SECOND_PRODUCT1_SKU_IN_CATALOG>"], "<SECTION1_TITLE>"),
                interactive.ProductSection(["<YOUR_PRODUCT2_SKU_IN_CATALOG>", "<YOUR_SECOND_PRODUCT2_SKU_IN_CATALOG>"], "<SECTION2_TITLE>"),
            ],
            footer="<YOUR_TEXT_FOOTER_CONTENT>",
        ),
        {},
    ),
    "send-published-flow-by-name": (
        interactive.flow("<BODY_TEXT>", "Open Flow!", flow_name="{{Flow-Name}}", **FLOW, header="<HEADER_TEXT>", footer="<FOOTER_TEXT>"),
        {},
    ),
    "send-reply-button": (
        interactive.reply_buttons(
            "<BUTTON_TEXT>",
            [interactive.Reply(f"<UNIQUE_BUTTON_ID_{number}>", f"<BUTTON_TITLE_{number}>") for number in (1, 2)],
        ),
        {},
    ),
    "send-reply-to-audio-message-by-id": (Audio(id="<AUDIO_OBJECT_ID>"), QUOTED),
    "send-reply-to-audio-message-by-url": (Audio(link="https://audio-url"), QUOTED),
    "send-reply-to-document-message-by-id": (
        Document(id="<DOCUMENT_OBJECT_ID>", caption="<DOCUMENT_CAPTION_TO_SEND>", filename="<DOCUMENT_FILENAME>"),
        QUOTED,
    ),
    "send-reply-to-location-message": (
        Location(37.758056, -122.425332, "META HQ", "1 Hacker Way, Menlo Park, CA 94025"),
        {"reply_to": "<MSGID_OF_PREV_MSG>"},
    ),
    "send-reply-to-sticker-message-by-id": (Sticker(id="<MEDIA_OBJECT_ID>"), QUOTED),
    "send-reply-to-sticker-message-by-url": (Sticker(link="https://sticker-url"), QUOTED),
    "send-reply-to-video-message-by-id": (Video(id="<VIDEO_OBJECT_ID>", caption="<VIDEO_CAPTION_TEXT>"), QUOTED),
    "send-reply-to-video-message-by-url": (Video(link="https://video-url", caption="<VIDEO_CAPTION_TEXT>"), QUOTED),
    "send-reply-with-reaction-message": (Reaction("wamid.HBgLM...", "😀"), {}),
    "send-sample-issue-resolution-template": (
        templates.template(
            "sample_issue_resolution",
            "en_US",
            templates.body("*Mr. Jones*"),
            templates.quick_reply(0, "True"),
            templates.quick_reply(1, "False"),
            policy="deterministic",
        ),
        {},
    ),
    # Currency and date_time are accepted, and made by nobody any more.
    "send-sample-shipping-confirmation-template": (
        Template("template-name", {"code": "language-and-locale-code"}, (LEGACY,)),
        {"to": "16315555555"},
    ),
    "send-sample-text-message": (Template("template-name", {"code": "language-and-locale-code"}, (LEGACY,)), {"to": "16315555555"}),
    "send-single-product-message": (
        interactive.product("367025965434465", "<ID_TEST_ITEM_1>", body="<OPTIONAL_BODY_TEXT>", footer="<OPTIONAL_FOOTER_TEXT>"),
        {},
    ),
    "send-sticker-message-by-url": (Sticker(link="https://sticker-url"), {}),
    "send-test-message": (templates.template("hello_world", "en_US"), {}),
    "send-video-message-by-id": (Video(id="<VIDEO_OBJECT_ID>", caption="<VIDEO_CAPTION_TEXT>"), {}),
    "send-video-message-by-url": (Video(link="https://video-url", caption="<VIDEO_CAPTION_TEXT>"), {}),
}
ASIDE = {"send-typing-indicator-and-read-receipt": "marks read and is no message; made by build_read"}


def _recipient_type(example: dict[str, Any]) -> None:
    """Left out in the example; individual is the default, and we say so."""
    example.setdefault("recipient_type", "individual")


def _plus(example: dict[str, Any]) -> None:
    """Without a plus Meta would put our own country code in front."""
    example["to"] = "+" + example["to"].removeprefix("+")


def _button_spelling(example: dict[str, Any]) -> None:
    """A number for the index and a type in capitals: elsewhere Meta writes text and small letters."""
    for component in example["template"]["components"]:
        if component["type"] == "button":
            component |= {"index": str(component["index"]), "sub_type": component["sub_type"].lower()}


def _payloads(example: dict[str, Any]) -> None:
    """A text that is true or false: lost in a conversion of Meta's; a quick reply's parameter is a payload."""
    for component in example["template"]["components"]:
        if component["type"] == "button":
            component["parameters"] = [{"type": "payload", "payload": str(one["text"])} for one in component["parameters"]]


TOLERATED: dict[str, tuple[Callable[[dict[str, Any]], None], ...]] = {
    "send-catalog-template-message": (_button_spelling,),
    "send-contact-message": (_recipient_type,),
    "send-flow-template-message": (_recipient_type,),
    "send-sample-issue-resolution-template": (_recipient_type, _button_spelling, _payloads),
    "send-sample-shipping-confirmation-template": (_plus,),
    "send-sample-text-message": (_plus,),
    "send-test-message": (_recipient_type,),
}


def _told(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return json.loads(text)


@pytest.mark.shared
@pytest.mark.parametrize("file", published("meta-messages"))
def test_read_and_judged(file: Path) -> None:
    """Each of Meta's examples is read as it stands, keeps its original, and breaks no limit once its placeholders are filled in."""
    assert parse_request(file.read_bytes()).original == json.loads(file.read_bytes())

    request = parse_request(json.dumps(_told(file)).encode())

    if not isinstance(request, ReadRequest):
        check(request)


@pytest.mark.shared
@pytest.mark.parametrize("file", published("meta-messages"))
def test_made_again(file: Path) -> None:
    """Each of Meta's examples comes out of our constructors, but for the differences listed with their reasons, which are all needed."""
    example = _told(file)
    if file.stem in ASIDE:
        assert build_read(example["message_id"], typing=True) == example
        return
    content, addressed = MADE[file.stem]

    made = build_message(content, **{"to": SOMEBODY, **addressed})

    for adapt in TOLERATED.get(file.stem, ()):
        before = json.dumps(example)
        adapt(example)
        assert json.dumps(example) != before, f"{adapt.__name__} is not needed"
    assert made == example


@pytest.mark.shared
def test_examples_of_the_specification() -> None:
    """Every example of a send and of a template's creation in Meta's OpenAPI file is read and breaks no limit."""
    if not SPECIFICATION.exists() and not os.environ.get("CI"):
        pytest.skip("Meta's OpenAPI file is not beside the checkout (../shared/reference)")
    yaml = pytest.importorskip("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Only these two operations: the whole file takes seconds.
    paths = {
        path: yaml.load(_block(path), Loader=loader)[path]
        for path in ("/{Version}/{Phone-Number-ID}/messages", "/{Version}/{WABA-ID}/message_templates")
    }
    sends, creations = (_examples(path) for path in paths.values())
    for name, example in sends.items():
        request = parse_request(_filled_in(example))
        if not isinstance(request, ReadRequest):
            try:
                check(request)
            except CloudError as error:
                pytest.fail(f"{name}: {error.details}")
    for name, example in creations.items():
        try:
            templates.check_definition(json.loads(_filled_in(example)))
        except LimitBroken as broken:
            pytest.fail(f"{name}: {refusal(broken).details}")
    assert len(sends) >= 30
    assert len(creations) >= 11


def _block(path: str) -> str:
    """The lines of one path of the specification."""
    lines = SPECIFICATION.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"  {path}:")
    end = next(index for index in range(start + 1, len(lines)) if lines[index].startswith("  /"))
    return "\n".join(lines[start:end])


def _examples(path: dict[str, Any]) -> dict[str, Any]:
    told = path["post"]["requestBody"]["content"]["application/json"]["examples"]
    return {name: example["value"] for name, example in told.items()}


def _filled_in(example: Any) -> bytes:
    text = json.dumps(example)
    for placeholder, value in (*PLACEHOLDERS.items(), ("<TEMPLATE_NAME>", "template_name")):
        text = text.replace(placeholder, value)
    return text.encode()
