"""Every limit of cloud-api §4, §5.1 and §17 from both sides: the most that is allowed passes, one more is refused by name."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from wabiz_tui.graph import interactive, templates
from wabiz_tui.graph.interactive import LinkCard, ProductCard, ProductSection, Reply, ReplyCard, Row, Section
from wabiz_tui.graph.limits import OURS, THEIRS, Bounds, check_file, check_message, media_kind
from wabiz_tui.graph.outgoing import outgoing
from wabiz_tui.model.content import Audio, ContactCards, Content, Document, Image, Location, Pin, Sticker, Template, Text, Video
from wabiz_tui.model.errors import LimitBroken

MARK = "ZXQ"
CARD = {"name": {"formatted_name": "A", "first_name": "A"}}
PICTURE = Image(id="1")


def long(count: int) -> str:
    return (MARK + "x" * count)[:count]


def judge(content: Content, bounds: Bounds, **envelope: Any) -> None:
    kind, inner = outgoing(content)
    check_message({kind: inner, **envelope}, kind, bounds)


def reply(count: int) -> list[Reply]:
    return [Reply(str(index), f"t{index}") for index in range(count)]


def rows(count: int) -> list[Row]:
    return [Row(str(index), "t") for index in range(count)]


def reply_cards(count: int, replies: Sequence[Reply] = (Reply("1", "t"),), body: str = "") -> Content:
    return interactive.carousel("b", [ReplyCard(PICTURE, replies, body)] * count)


def _in_two_sections(count: int) -> Content:
    return interactive.list_message("b", "b", [Section(rows(count - 1), "a"), Section(rows(11)[10:], "b")])


def button(made: dict[str, Any]) -> Template:
    return templates.template("n", "en", made)


LENGTHS: list[tuple[str, int, Callable[[int], Content]]] = [
    ("text.body", 4096, lambda n: Text(long(n))),
    ("image.caption", 1024, lambda n: Image(id="1", caption=long(n))),
    ("video.caption", 1024, lambda n: Video(id="1", caption=long(n))),
    ("document.caption", 1024, lambda n: Document(id="1", caption=long(n))),
    ("interactive.action.buttons[0].reply.id", 256, lambda n: interactive.reply_buttons("b", [Reply(long(n), "t")])),
    ("interactive.action.buttons[0].reply.title", 20, lambda n: interactive.reply_buttons("b", [Reply("1", long(n))])),
    ("interactive.body.text", 1024, lambda n: interactive.reply_buttons(long(n), reply(1))),
    ("interactive.header.text", 60, lambda n: interactive.reply_buttons("b", reply(1), header=long(n))),
    ("interactive.footer.text", 60, lambda n: interactive.reply_buttons("b", reply(1), footer=long(n))),
    ("interactive.body.text", 4096, lambda n: interactive.list_message(long(n), "b", [Section(rows(1))])),
    ("interactive.action.button", 20, lambda n: interactive.list_message("b", long(n), [Section(rows(1))])),
    ("interactive.action.sections[0].title", 24, lambda n: interactive.list_message("b", "b", [Section(rows(1), long(n))])),
    ("interactive.action.sections[0].rows[0].id", 200, lambda n: interactive.list_message("b", "b", [Section([Row(long(n), "t")])])),
    ("interactive.action.sections[0].rows[0].title", 24, lambda n: interactive.list_message("b", "b", [Section([Row("1", long(n))])])),
    (
        "interactive.action.sections[0].rows[0].description",
        72,
        lambda n: interactive.list_message("b", "b", [Section([Row("1", "t", long(n))])]),
    ),
    ("interactive.action.parameters.display_text", 20, lambda n: interactive.link_button("b", long(n), "https://example.com")),
    ("interactive.body.text", 1024, lambda n: interactive.link_button(long(n), "l", "https://example.com")),
    ("interactive.body.text", 1024, lambda n: interactive.location_request(long(n))),
    ("interactive.body.text", 1024, lambda n: interactive.contact_request(long(n))),
    ("interactive.action.parameters.flow_cta", 30, lambda n: interactive.flow("b", long(n), flow_id="1")),
    ("interactive.action.parameters.display_text", 20, lambda n: interactive.voice_call("b", label=long(n))),
    ("interactive.header.text", 60, lambda n: interactive.product_list(long(n), "b", "c", [ProductSection(["p"])])),
    ("interactive.action.sections[0].title", 24, lambda n: interactive.product_list("h", "b", "c", [ProductSection(["p"], long(n))])),
    ("interactive.body.text", 1024, lambda n: interactive.carousel(long(n), [ProductCard("c", "p")] * 2)),
    ("interactive.action.cards[0].body.text", 160, lambda n: reply_cards(2, body=long(n))),
    ("interactive.action.cards[0].action.buttons[0].quick_reply.title", 20, lambda n: reply_cards(2, replies=[Reply("1", long(n))])),
    (
        "interactive.action.cards[0].action.parameters.display_text",
        20,
        lambda n: interactive.carousel("b", [LinkCard(PICTURE, long(n), "https://example.com")] * 2),
    ),
    ("template.name", 512, lambda n: templates.template(long(n), "en")),
    ("template.components[0].parameters[0].text", 60, lambda n: templates.template("n", "en", templates.header_text(long(n)))),
    ("template.components[0].parameters[0].text", 1024, lambda n: templates.template("n", "en", templates.body(long(n)))),
    ("template.components[0].parameters[0].text", 2000, lambda n: button(templates.url(0, long(n)))),
]
COUNTS: list[tuple[str, int, int, Callable[[int], Content]]] = [
    ("interactive.action.buttons", 1, 3, lambda n: interactive.reply_buttons("b", reply(n))),
    ("interactive.action.sections.rows", 2, 10, _in_two_sections),
    (
        "interactive.action.sections",
        1,
        10,
        lambda n: interactive.list_message("b", "b", [Section([Row(str(i), "t")], str(i)) for i in range(n)]),
    ),
    (
        "interactive.action.sections",
        1,
        10,
        lambda n: interactive.product_list("h", "b", "c", [ProductSection(["p"], str(i)) for i in range(n)]),
    ),
    (
        "interactive.action.sections.product_items",
        2,
        30,
        lambda n: interactive.product_list("h", "b", "c", [ProductSection(["p"] * (n - 1), "a"), ProductSection(["p"], "b")]),
    ),
    ("interactive.action.cards", 2, 10, lambda n: interactive.carousel("b", [ProductCard("c", "p")] * n)),
    ("interactive.action.cards", 2, 10, reply_cards),
    (
        "template.components[0].cards",
        2,
        10,
        lambda n: templates.template("n", "en", templates.carousel([[templates.header_file(PICTURE)]] * n)),
    ),
]


@pytest.mark.parametrize("bounds", [OURS, THEIRS], ids=["ours", "theirs"])
@pytest.mark.parametrize(("field", "most", "make"), LENGTHS, ids=[f"{field}-{most}" for field, most, _ in LENGTHS])
def test_lengths(field: str, most: int, make: Callable[[int], Content], bounds: Bounds) -> None:
    """The longest text passes; one character more is refused with field, limit and length, and without the text."""
    judge(make(most), bounds)

    with pytest.raises(LimitBroken) as refusal:
        judge(make(most + 1), bounds)

    broken = refusal.value
    assert (broken.field, broken.limit, broken.value) == (field, most, most + 1)
    assert broken.graph_code == (132005 if field.startswith("template.components") else 131009)
    assert str(most) in broken.sentence
    assert MARK not in repr(vars(broken)) + broken.sentence


@pytest.mark.parametrize("bounds", [OURS, THEIRS], ids=["ours", "theirs"])
@pytest.mark.parametrize(("field", "least", "most", "make"), COUNTS, ids=[f"{field}-{most}" for field, _, most, _ in COUNTS])
def test_counts(field: str, least: int, most: int, make: Callable[[int], Content], bounds: Bounds) -> None:
    """As few and as many as allowed pass; one less or more is refused with field, limit and count."""
    judge(make(least), bounds)
    judge(make(most), bounds)

    for limit, count in ((least, least - 1), (most, most + 1)):
        with pytest.raises(LimitBroken) as refusal:
            judge(make(count), bounds)
        assert refusal.value.field.startswith(field.rpartition(".")[0])
        if count > most:
            assert (refusal.value.field, refusal.value.limit, refusal.value.value) == (field, limit, count)


DIFFERING: list[tuple[str, int, int, Callable[[int], Content]]] = [
    ("contacts", 5, 257, lambda n: ContactCards((CARD,) * n)),
    (
        "interactive.action.cards[0].action.buttons[0].quick_reply.id",
        20,
        256,
        lambda n: reply_cards(2, replies=[Reply(long(n), "t")]),
    ),
    ("template.components[0].parameters[0].coupon_code", 15, 20, lambda n: button(templates.copy_code(0, long(n)))),
    ("template.components[0].parameters[0].payload", 128, 256, lambda n: button(templates.quick_reply(0, long(n)))),
]


@pytest.mark.parametrize(("field", "ours", "theirs", "make"), DIFFERING)
def test_where_sources_differ(field: str, ours: int, theirs: int, make: Callable[[int], Content]) -> None:
    """What we send keeps the smaller number, what others send may have the larger (cloud-api §18)."""
    for most, bounds in ((ours, OURS), (theirs, THEIRS)):
        judge(make(most), bounds)
        with pytest.raises(LimitBroken) as refusal:
            judge(make(most + 1), bounds)
        assert (refusal.value.field, refusal.value.limit, refusal.value.value) == (field, most, most + 1)


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        (Image(id="1", filename="a.jpg"), "image.filename", 131009),
        (Video(id="1", voice=True), "video.voice", 131009),
        (Sticker(id="1", caption="x"), "sticker.caption", 131009),
        (Audio(id="1", caption="x"), "audio.caption", 131009),
        (Location(90.1, 0), "location.latitude", 131009),
        (Location(float("nan"), 0), "location.latitude", 131009),
        (Pin("pin", "w"), "pin.expiration_days", 131008),
        (Pin("pin", "w", 31), "pin.expiration_days", 131009),
        (Pin("stick", "w", 1), "pin.type", 131009),
        (templates.template("n", "en", templates.body("two\nlines")), "template.components[0].parameters[0].text", 132018),
        (templates.template("n", "en", templates.body("five     blanks")), "template.components[0].parameters[0].text", 132018),
        (
            interactive.flow("b", "Open", flow_id="1", action="data_exchange", screen="S"),
            "interactive.action.parameters.flow_action_payload",
            131009,
        ),
        (Text("broken \udcff byte"), "text.body", 131009),
        (ContactCards(({**CARD, "birthday": "12/08/18"},)), "contacts[0].birthday", 131009),
    ],
)
def test_ours_alone(content: Content, field: str, code: int) -> None:
    """What Meta would refuse, or drop without a word, does not leave us."""
    with pytest.raises(LimitBroken) as refusal:
        judge(content, OURS, recipient_type="group" if isinstance(content, Pin) else "individual")

    assert (refusal.value.field, refusal.value.graph_code) == (field, code)


@pytest.mark.parametrize(
    ("kind", "mime_type", "most"),
    [
        ("image", "image/jpeg", 5 << 20),
        ("video", "video/mp4", 16 << 20),
        ("audio", "audio/ogg; codecs=opus", 16 << 20),
        ("document", "application/pdf", 100 << 20),
        ("sticker", "image/webp", 500 << 10),
    ],
)
def test_files(kind: str, mime_type: str, most: int) -> None:
    """The largest file of each kind passes, a larger, an empty one and one of another type do not."""
    check_file(kind, mime_type, most)
    assert media_kind(mime_type) == kind

    for size in (0, most + 1):
        with pytest.raises(LimitBroken) as refusal:
            check_file(kind, mime_type, size)
        assert (refusal.value.limit, refusal.value.value, refusal.value.graph_code) == (most, size, 131053)
    with pytest.raises(LimitBroken, match="mime_type"):
        check_file(kind, "application/zip", 1)


def test_stickers_and_voice_notes() -> None:
    """A still sticker is held to 100 KB, a moving one to 500; a voice note is ogg."""
    check_file("sticker", "image/webp", 500 << 10, is_animated=True)
    check_file("sticker", "image/webp", 100 << 10, is_animated=False)
    check_file("audio", "audio/ogg", 1, is_voice=True)

    with pytest.raises(LimitBroken):
        check_file("sticker", "image/webp", (100 << 10) + 1, is_animated=False)
    with pytest.raises(LimitBroken):
        check_file("audio", "audio/mpeg", 1, is_voice=True)
    assert media_kind("application/zip") is None
