"""Strict documents: every problem told at its line, in plain words, and lines found as tomllib reads the keys."""

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.document import Problem, dotted, load_text, nearest_name, point_at, read_document
from wabiz_tui.model.errors import DocumentError
from wabiz_tui.model.positions import find_lines


class Inner(msgspec.Struct, frozen=True):
    count: int = 1
    ratio: float = 0.5


class Table(msgspec.Struct, frozen=True):
    name: str


class Sample(msgspec.Struct, frozen=True):
    text: str = "x"
    flag: bool = False
    inner: Inner = Inner()
    table: tuple[Table, ...] = ()
    choice: Literal["red", "green"] = "red"
    words: tuple[str, ...] | None = None
    free: dict[str, str] = {}


def test_a_document_becomes_a_struct():
    """Keys become fields, lists tuples, tables structs; a whole number will do for a fraction."""
    text = 'text = "y"\nwords = ["a"]\n[inner]\nratio = 2\n[[table]]\nname = "t"\n[free]\n"a.b" = "c"\n'

    assert read_document(text, Sample, file="f") == Sample(
        text="y", words=("a",), inner=Inner(ratio=2), table=(Table("t"),), free={"a.b": "c"}
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("text = 3", "f:1: text: This must be a text in quotes, not a whole number."),
        ("flag = 1", "f:1: flag: This must be true or false, not a whole number."),
        ("inner = 5", "f:1: inner: This must be a table, not a whole number."),
        ("[inner]\ncount = 1.5", "f:2: inner.count: This must be a whole number, not a number with a point."),
        ("[inner]\ncount = false", "f:2: inner.count: This must be a whole number, not true or false."),
        ("[inner]\ncount = 2020-01-01", "f:2: inner.count: This must be a whole number, not a date or time."),
        ("words = 'a'", "f:1: words: This must be a list, not a text."),
        ("words = [\n'a',\n{}]", "f:3: words[2]: This must be a text in quotes, not a table."),
        ("[[table]]", "f:1: table[1]: The key 'name' is missing."),
        ("[table]\nname = 'x'", "f:1: table: This must be a list, not a table."),
        ("choice = 'gren'", 'f:1: choice: This must be "red" or "green". Did you mean \'green\'?'),
        ("choice = ['red']", 'f:1: choice: This must be "red" or "green".'),
        ("[free]\na = 1", "f:2: free.a: This must be a text in quotes, not a whole number."),
        ("Text = 'x'", "f:1: Text: This key is not known. Did you mean 'text'?"),
        ('"te xt\\u001b" = 1', 'f:1: "te xt\\x1b": This key is not known.'),
        ("inner.count.deep = 1", "f:1: inner.count: This must be a whole number, not a table."),
        ("a = ", "f:1: This is not valid TOML: invalid value."),
        ("a = 1\na = 2\n", "f:2: This is not valid TOML: cannot overwrite a value."),
        ("\n\n[unclosed", "f:3: This is not valid TOML: expected ']' at the end of a table declaration."),
    ],
)
def test_each_problem_is_told_in_plain_words_at_its_line(text: str, sentence: str):
    """Wrong types, unknown keys, missing keys and bad TOML each have their sentence."""
    with pytest.raises(DocumentError) as refused:
        read_document(text, Sample, file="f")

    assert refused.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    "text", ["[" * 5000, "a = " + "[" * 5000, "x" * 300_000, "a = 9999-99-99", "a = '''", "\x00", "a = 1" + "0" * 5000]
)
def test_hostile_documents_are_refused_in_words(text: str):
    """Deep nesting, giants, absurd dates and control characters are refused, never a traceback of the parser."""
    with pytest.raises(DocumentError):
        read_document(text, Sample, file="f")


def test_a_byte_order_mark_is_ignored():
    """Editors that write one at the start of a file do no harm, and lines stay right."""
    assert read_document('\ufefftext = "y"', Sample, file="f").text == "y"
    with pytest.raises(DocumentError) as refused:
        read_document("\ufefftext = 'y'\r\ntxt = 1\r\n", Sample, file="f")
    assert (refused.value.line, refused.value.nearest) == (2, "text")


def test_lines_follow_keys_through_everything_toml_allows():
    """Quoted and dotted keys, strings over lines, comments, arrays, inline tables and arrays of tables are all found."""
    text = (
        "# [not.a.table]\n"
        "plain = 1 # tail = 2\n"
        '"quoted = #\\"key" = "a # b"\n'
        "dotted . 'k' = '''\n"
        "fake = 1\n"
        "[also.fake]'''''\n"
        'after = """\n'
        'x = \\""" y\n'
        '"""\n'
        "list = [ # one\n"
        "  1, 2,\n"
        "  { deep = [\n"
        "    3 ] },\n"
        "]\n"
        "[ a . b ]\n"
        "key = { x = 1, y.z = 'q' }\n"
        "[[a.many]]\n"
        "n = 1979-05-27 07:32:00Z\n"
        "[[a.many]]\n"
        "n = 2\n"
        "[a.many.sub]\n"
        "m = -inf\n"
        "[[a.many.deep]]\n"
        "o = 1"
    )
    tomllib.loads(text)

    lines = find_lines(text)

    assert {dotted(path): line for path, line in lines.items()} == {
        "plain": 2,
        '"quoted = #"key"': 3,
        "dotted": 4,
        "dotted.k": 4,
        "after": 7,
        "list": 10,
        "list[1]": 11,
        "list[2]": 11,
        "list[3]": 12,
        "list[3].deep": 12,
        "list[3].deep[1]": 13,
        "a": 15,
        "a.b": 15,
        "a.b.key": 16,
        "a.b.key.x": 16,
        "a.b.key.y": 16,
        "a.b.key.y.z": 16,
        "a.many": 17,
        "a.many[1]": 17,
        "a.many[1].n": 18,
        "a.many[2]": 19,
        "a.many[2].n": 20,
        "a.many[2].sub": 21,
        "a.many[2].sub.m": 22,
        "a.many[2].deep": 23,
        "a.many[2].deep[1]": 23,
        "a.many[2].deep[1].o": 24,
    }


def paths_of(tree: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        found |= paths_of(value, (*path, key))
    return found


@given(st.text(st.sampled_from(list("ab.=[]{}\"'#\n ,1-\\")), max_size=60))
def test_every_key_tomllib_reads_has_a_line(text: str):
    """Whatever valid TOML a monkey types, the lines found are for exactly the keys that tomllib read."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    lines = find_lines(text)

    assert set(lines) == paths_of(tree)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


_keys = st.sampled_from(["a", "b", "c-1", '"q k"', "'l#'"])
_scalars = st.sampled_from(
    ["1", "true", '"s # ]"', "'x}'", '"""m\nn = 1"""', "'''[t]\n'''", "2020-01-01", "[]", "[1, [2,\n3]]", "{}", "{ x = [{y = 1}] }"]
)
_statements = st.one_of(
    st.builds("{} = {}".format, _keys, _scalars),
    st.builds("{}.{} = {}".format, _keys, _keys, _scalars),
    st.builds("[{}]".format, _keys),
    st.builds("[{}.{}]".format, _keys, _keys),
    st.builds("[[{}]]".format, _keys),
    st.builds("[[ {} . {} ]] # c".format, _keys, _keys),
)


@given(st.lists(_statements, max_size=12).map("\n".join))
def test_every_key_of_a_real_document_has_a_line(text: str):
    """The same for documents made of whole statements, tables and arrays of tables among them."""
    test_every_key_tomllib_reads_has_a_line.hypothesis.inner_test(text)


def test_a_problem_found_later_is_told_at_its_line():
    """Whoever uses a value can refuse it with its place; without a line of its own, that of the table around it."""
    text = "[free]\n'x.y' = 'z'\n"

    assert point_at(text, Problem(("free", "x.y"), "No."), file="f").sentence == 'f:2: free."x.y": No.'
    assert point_at(text, Problem(("free", "other"), "No."), file="f").line == 1
    assert point_at(text, Problem(("absent",), "No.", "free"), file="f").sentence == "f: absent: No. Did you mean 'free'?"


def test_names_are_near_regardless_of_case():
    """Near means near as people type; far names suggest nothing."""
    assert nearest_name("CLIPBORD", ["clipboard", "reveal"]) == "clipboard"
    assert nearest_name("zzz", ["clipboard", "reveal"]) is None


def test_files_that_cannot_be_read_say_why(tmp_path: Path):
    """Missing, too long and foreign files are refused by name, and by line where they have one."""
    with pytest.raises(DocumentError, match="No such file"):
        load_text(tmp_path / "absent.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * 300_000)
    with pytest.raises(DocumentError, match="256 KiB"):
        load_text(tmp_path / "big.toml")
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xe9'\n")
    with pytest.raises(DocumentError, match=r"latin.toml:2: .*UTF-8"):
        load_text(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    "line",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[" + "a." * 100_000 + "a]",
        "x = {y = 1, " + '"a".' * 60_000 + "a = 1}",
        '#""", {' + "a." * 100_000 + "a = 1}]",
    ],
    ids=["key", "table", "inline", "text"],
)
def test_a_key_of_very_many_parts_is_refused_before_it_takes_all_memory(line: str) -> None:
    """A quarter of a megabyte of dots costs no more than its length; what a comment draws of dots is nobody's business."""
    with pytest.raises(DocumentError, match="more than 64 dots") as refused:
        read_document(f'# {"." * 500}\nwords = ["""\n{line}' if line.startswith("#") else f"# {'.' * 500}\n\n{line}", Sample, file="f")
    assert refused.value.line == 3
