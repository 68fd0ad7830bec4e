"""Strategies: contents of every kind that can be sent, within Meta's limits, and such as keep to nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from wabiz_tui.graph import interactive, templates
from wabiz_tui.model.content import (
    Audio,
    ContactCards,
    Content,
    Document,
    Image,
    Interactive,
    Location,
    Pin,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
)

Anything = st.SearchStrategy[Any]


def words(most: int, least: int = 1) -> st.SearchStrategy[str]:
    return st.text(min_size=least, max_size=most)


def plain(most: int) -> st.SearchStrategy[str]:
    """A text that a template's variable may hold."""
    return st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=most)


def files(kind: Callable[..., Any], **more: Anything) -> Anything:
    by_id = st.fixed_dictionaries({"id": st.from_regex(r"[0-9]{1,20}", fullmatch=True)}, optional=more)
    by_link = st.fixed_dictionaries({"link": links}, optional=more)
    return st.one_of(by_id, by_link).map(lambda told: kind(**told))


def replies(most: int, longest_id: int) -> st.SearchStrategy[list[interactive.Reply]]:
    one = st.builds(interactive.Reply, words(longest_id), words(20))
    return st.lists(one, min_size=1, max_size=most, unique_by=(_id, _title))


def _id(reply: interactive.Reply | interactive.Row) -> str:
    return reply.id


def _title(reply: interactive.Reply) -> str:
    return reply.title


def _one_section(rows: Sequence[interactive.Row]) -> list[interactive.Section]:
    return [interactive.Section(rows)]


def _two_sections(rows: Sequence[interactive.Row], title: str, other: str) -> list[interactive.Section]:
    more = [interactive.Row(f"\0{index}", "more") for index in range(5)]
    return [interactive.Section(rows, title), interactive.Section(more, other)]


def _cards(cards: list[dict[str, Any]]) -> ContactCards:
    return ContactCards(tuple(cards))


def _template(name: str, language: str, parts: tuple[dict[str, Any], ...], count: int) -> Template:
    return templates.template(name, language, *parts[:count])


def _carousel(images: Sequence[Image]) -> dict[str, Any]:
    return templates.carousel([templates.card(templates.header_file(one), templates.quick_reply(0, "p")) for one in images])


def _body(texts: Sequence[str]) -> dict[str, Any]:
    return templates.body(*texts)


def _button(make: Callable[..., dict[str, Any]], given: Anything) -> Anything:
    return st.builds(make, st.just(0), given)


links = st.sampled_from(("https://example.com/a.jpg", "http://example.com/?q=1&r=%20", "https://ex.example/ü"))
places = st.builds(Location, st.floats(-90, 90), st.floats(-180, 180), words(30, 0), words(30, 0))
header_files = st.one_of(files(Image), files(Video), files(Document, filename=words(20)))
headers = st.one_of(st.none(), words(60), header_files)
footers = words(60, 0)
bodies = words(1024)
contact_cards: Anything = st.fixed_dictionaries(
    {"name": st.fixed_dictionaries({"formatted_name": words(30), "first_name": words(30)})},
    optional={
        "phones": st.lists(st.fixed_dictionaries({"phone": words(20)}, optional={"wa_id": words(15)}), min_size=1, max_size=2),
        "org": st.fixed_dictionaries({"company": words(9)}),
        "birthday": st.dates().map(str),
    },
)
rows = st.lists(st.builds(interactive.Row, words(200), words(24), words(72, 0)), min_size=1, max_size=5, unique_by=_id)
sections = st.one_of(rows.map(_one_section), st.builds(_two_sections, rows, words(24), words(24)))
products = st.lists(st.builds(interactive.ProductSection, st.lists(words(20), min_size=1, max_size=3), words(24)), min_size=1, max_size=10)
card_bodies = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=160)
decks: Anything = st.one_of(
    st.lists(st.builds(interactive.LinkCard, files(Image), words(20), links, card_bodies), min_size=2, max_size=10),
    st.lists(st.builds(interactive.ReplyCard, files(Video), replies(1, 20), card_bodies), min_size=2, max_size=10),
    st.lists(st.builds(interactive.ProductCard, st.just("catalog"), words(20)), min_size=2, max_size=10),
)
interactives = st.one_of(
    st.builds(interactive.reply_buttons, bodies, replies(3, 256), header=headers, footer=footers),
    st.builds(interactive.list_message, words(4096), words(20), sections, header=words(60, 0), footer=footers),
    st.builds(interactive.link_button, bodies, words(20), links, header=headers, footer=footers),
    st.builds(interactive.location_request, bodies),
    st.builds(interactive.contact_request, bodies),
    st.builds(interactive.call_permission_request, words(1024, 0)),
    st.builds(interactive.voice_call, bodies, label=words(20, 0), ttl_minutes=st.none() | st.integers(1, 43200), payload=words(512, 0)),
    st.builds(
        interactive.flow,
        bodies,
        words(30),
        flow_id=words(20),
        token=words(20, 0),
        action=st.sampled_from(("", "navigate")),
        screen=words(20, 0),
        data=st.none() | st.dictionaries(words(5), words(5), min_size=1),
        is_draft=st.booleans(),
        header=headers,
        footer=footers,
    ),
    st.builds(interactive.product, words(20), words(20), body=words(1024, 0), footer=footers),
    st.builds(interactive.product_list, words(60), bodies, words(20), products, footer=footers),
    st.builds(interactive.catalog, bodies, thumbnail=words(20, 0), footer=footers),
    st.builds(interactive.carousel, bodies, decks),
    st.builds(interactive.address, bodies, st.just("IN"), values=st.none() | st.dictionaries(words(9), words(9), min_size=1)),
)
template_parts: Anything = st.tuples(
    st.one_of(
        plain(60).map(templates.header_text),
        header_files.map(templates.header_file),
        places.map(templates.header_location),
        st.builds(templates.Product, words(20), words(20)).map(templates.header_product),
    ),
    st.one_of(
        st.lists(plain(50), min_size=1, max_size=5).map(_body),
        st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), plain(50), min_size=1).map(templates.named_body),
    ),
    st.one_of(
        _button(templates.quick_reply, words(128)),
        _button(templates.url, words(200)),
        _button(templates.copy_code, words(15)),
        _button(templates.flow, st.builds(templates.FlowInput, words(20), st.none() | st.dictionaries(words(3), words(3)))),
        _button(templates.catalog, words(20)),
        _button(templates.multi_product, st.builds(templates.Products, words(20), products)),
        st.builds(templates.voice_call, st.just(0), ttl_minutes=st.none() | st.integers(1, 43200), payload=words(512, 0)),
        _button(templates.order_details, st.dictionaries(words(5), words(5))),
    ),
    st.one_of(
        st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(templates.limited_time_offer),  # noqa: DTZ001 bounds are naive
        st.builds(templates.order_status, words(20), st.just("shipped"), description=words(20, 0)),
        st.lists(files(Image), min_size=2, max_size=10).map(_carousel),
    ),
)
sendable: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, words(4096), st.booleans()),
    files(Image, caption=words(1024)),
    files(Video, caption=words(1024)),
    files(Document, caption=words(1024), filename=words(40)),
    files(Audio, voice=st.booleans()),
    files(Sticker),
    places,
    st.lists(contact_cards, min_size=1, max_size=5).map(_cards),
    st.builds(Reaction, words(80), words(9, 0)),
    interactives,
    st.builds(_template, words(512), words(10), template_parts, st.integers(0, 4)),
)

loose = st.text(max_size=40) | st.just("half \udcff") | st.integers(1, 5000).map(lambda count: "x" * count)
loose_objects: Anything = st.recursive(
    st.none() | st.booleans() | st.integers() | loose,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("text", "type", "id", "title", "parameters")), inner),
    max_leaves=8,
)
loose_parts: Anything = st.none() | st.dictionaries(
    st.sampled_from(("type", "text", "buttons", "name", "parameters", "sections", "cards")), loose_objects
)
loose_cards: Anything = st.dictionaries(st.sampled_from(("name", "phones", "org")), loose_objects)
loose_components: Anything = st.lists(st.dictionaries(loose, loose_objects), max_size=3).map(tuple)
unbounded: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, loose),
    st.builds(Document, id=loose, link=loose, caption=loose, filename=loose, voice=st.booleans()),
    st.builds(Sticker, id=loose, link=loose, caption=loose),
    st.builds(Location, st.floats(), st.floats(), loose),
    st.lists(loose_cards, max_size=7).map(_cards),
    st.builds(
        Interactive,
        type=st.sampled_from(("button", "list", "carousel", "flow", "product_list", "fax")),
        header=loose_parts,
        body=loose_parts,
        footer=loose_parts,
        action=loose_parts,
    ),
    st.builds(Template, loose, language=loose_parts, components=loose_components),
    st.builds(Pin, loose, loose, st.none() | st.integers()),
)
