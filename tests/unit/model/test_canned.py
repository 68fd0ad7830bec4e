"""Canned responses: what their texts may hold, and how they are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.canned import VARIABLES, check_shortcut, check_text, fill
from wabiz_tui.model.errors import BadInput

VALUES = {"contact.name": "Ada", "agent.name": "", "contact.fields.Order number": "A-17"}


@pytest.mark.parametrize(
    ("text", "filled", "missing"),
    [
        ("Hello {{contact.name}}!", "Hello Ada!", ()),
        ("Hello {{ contact.name }}!", "Hello Ada!", ()),
        ('Hello {{contact.name | default: "there"}}!', "Hello Ada!", ()),
        ('I am {{agent.name | default: "of the team"}}.', "I am of the team.", ()),
        ("I am {{agent.name|default:'of the \"team\"'}}.", 'I am of the "team".', ()),
        ("Order {{contact.fields.order NUMBER}}", "Order A-17", ()),
        ("{{agent.name}}, {{contact.fields.City}}, {{agent.name}}", "{{agent.name}}, {{contact.fields.City}}, {{agent.name}}",
         ("agent.name", "contact.fields.City")),
        ('{{agent.name | default: ""}}', "", ()),
        ("One { brace } and }} more", "One { brace } and }} more", ()),
    ],
)  # fmt: skip
def test_variables_are_replaced_or_told_missing(text: str, filled: str, missing: tuple[str, ...]):
    """A value wins over the fallback, the fallback over nothing, and what has neither is named once."""
    assert fill(text, VALUES) == (filled, missing)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello {{contact.nam}}", "{{contact.name}}"),
        ("Hello {{zzz}}", "contact.fields.NAME"),
        ("Hello {{contact.name", "do not close"),
        ("Hello {{}}", "is written"),
        ("Hello {{contact.name | upper}}", "is written"),
        ('Hello {{contact.name | default: "x}}', "is written"),
        ("Hello {{contact.fields.}}", "must not be empty"),
        ("   ", "1 to 4096"),
        ("x" * 4097, "1 to 4096"),
    ],
)
def test_a_text_that_cannot_be_filled_is_refused(text: str, words: str):
    """Unknown variables are told with the nearest name, and braces that hold none with how one is written."""
    with pytest.raises(BadInput) as refused:
        check_text(text)

    assert words in refused.value.sentence


@given(st.text(max_size=50), st.sampled_from(VARIABLES))
def test_what_is_filled_in_is_never_read_again(value: str, variable: str):
    """A customer may be called {{agent.name}}: the name is sent as it is."""
    filled = fill(f"a {{{{{variable}}}}} b", {variable: value, "agent.name": value})

    assert filled.missing == (() if value.strip() else (variable,))
    assert not value.strip() or filled.text == f"a {value} b"


@given(st.text(max_size=60))
def test_any_text_is_filled_or_refused(text: str):
    """Whatever is written, filling ends with a text or with a sentence; without two braces the text stays as it is."""
    try:
        check_text(text)
    except BadInput:
        return
    filled = fill(text, {})

    assert "{{" in text or filled == (text, ())


@pytest.mark.parametrize(("shortcut", "kept"), [("/thanks", "thanks"), (" obrigado ", "obrigado"), ("été-1.b_c", "été-1.b_c")])
def test_a_shortcut_is_kept_without_its_slash(shortcut: str, kept: str):
    """The slash that begins a shortcut on the screen is not part of it."""
    assert check_shortcut(shortcut) == kept


@pytest.mark.parametrize("shortcut", ["", "/", "two words", "a" * 33, "a/b", "a\u202eb", "a\n"])
def test_a_shortcut_is_one_word(shortcut: str):
    """Spaces, controls and signs are refused."""
    with pytest.raises(BadInput):
        check_shortcut(shortcut if shortcut != "a\n" else "a\nb")
