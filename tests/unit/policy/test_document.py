"""The policy document: the design's example is valid, everything else wrong with a policy is refused where it stands."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given

from tests.support.policy_samples import EXAMPLE, policies
from wabiz_tui.model.errors import DocumentError, UsageError
from wabiz_tui.policy.document import ArchiveRule, Policy, Span, parse_policy
from wabiz_tui.policy.durations import Duration
from wabiz_tui.policy.library import shipped_names, shipped_text
from wabiz_tui.policy.rendering import render_policy


def test_the_example_is_valid_and_is_the_defaults():
    """Every default is what the design's example says, but for its name, its rule and its Monday."""
    policy, default = parse_policy(EXAMPLE), Policy()

    assert policy.archive.rule == (ArchiveRule(retain=Duration(8, "y"), label="complaint"),)
    assert policy.hours.monday == (Span(8 * 60 + 30, 17 * 60 + 30),)
    assert policy.cache == default.cache
    assert policy.privacy == default.privacy
    assert policy.sending == default.sending
    assert policy.cases == default.cases
    assert policy.approval == default.approval
    assert msgspec.structs.replace(policy.archive, rule=()) == default.archive
    assert msgspec.structs.replace(policy.hours, monday=None) == default.hours


def test_the_empty_document_is_the_defaults():
    """Nothing has to be written."""
    assert parse_policy("") == Policy()


@pytest.mark.parametrize("name", ["gdpr-default", "fca", "sec-17a-4", "uk-public-body"])
def test_shipped_policies_are_valid_and_tell_their_sources(name: str):
    """Each of the four parses, and says from where and when its periods were taken."""
    text = shipped_text(name)

    assert parse_policy(text, file=name).name
    assert "# Sources" in text
    assert "# Checked on 20" in text
    assert "https://" in text


def test_shipped_policies_keep_what_the_law_names():
    """The periods are those of SYSC 10A.1.15 and FINRA 4511(b)."""
    assert parse_policy(shipped_text("fca")).archive.retain == Duration(5, "y")
    assert parse_policy(shipped_text("sec-17a-4")).archive.retain == Duration(6, "y")
    assert shipped_names() == ["fca", "gdpr-default", "sec-17a-4", "uk-public-body"]


def test_an_unknown_shipped_policy_is_named_with_the_nearest():
    """A near miss is helped."""
    with pytest.raises(UsageError, match="gdpr-default"):
        shipped_text("gdpr")


@pytest.mark.parametrize(
    ("text", "line", "key", "nearest"),
    [
        ("[cach]\n", 1, "cach", "cache"),
        ("[cache]\nwindw = '1d'\n", 2, "cache.windw", "window"),
        ("\n\n[privacy]\nclipboard = 'mask'\n", 4, "privacy.clipboard", "masked"),
        ("[privacy]\nreveal = ['supervisor',\n 'complianc']\n", 3, "privacy.reveal[2]", "compliance"),
        ("[hours]\ntimezone = 'Europe/Lisboa'\n", 2, "hours.timezone", "Europe/Lisbon"),
        ("[hours]\nholidays = 'GB-EMG'\n", 2, "hours.holidays", "GB-ENG"),
        ("[hours]\noverride = ['superviser']\n", 2, "hours.override[1]", "supervisor"),
        ("[[archive.rule]]\nkind = 'imge'\nretain = '1y'\n", 2, "archive.rule[1].kind", "image"),
        (
            "[[archive.rule]]\nlabel = 'a'\nretain = '1y'\n[[archive.rule]]\nlable = 'b'\nretain = '1y'\n",
            5,
            "archive.rule[2].lable",
            "label",
        ),
    ],
)
def test_wrong_names_are_refused_with_the_nearest(text: str, line: int, key: str, nearest: str):
    """File, line, key and the nearest valid name are told."""
    with pytest.raises(DocumentError) as refused:
        parse_policy(text, file="ours.toml")

    error = refused.value
    assert (error.file, error.line, error.key, error.nearest) == ("ours.toml", line, key, nearest)
    assert error.sentence.startswith(f"ours.toml:{line}: {key}: ")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[archive]\nretain = '11y'\n", "archive.retain"),
        ("[archive]\nretain = '4y'\nmax = '3y'\n", "archive.retain"),
        ("[archive]\nmedia = '7y'\n", "archive.media"),
        ("[archive]\nretain = '0d'\n", "archive.retain"),
        ("[[archive.rule]]\nlabel = 'x'\nretain = '12y'\n", "archive.rule[1].retain"),
        ("[[archive.rule]]\nretain = '1y'\n", "archive.rule[1]"),
        ("[[archive.rule]]\nlabel = 'x'\n", "archive.rule[1]"),
        ("[[archive.rule]]\nlabel = 'x'\nretain = '1y'\n[[archive.rule]]\nlabel = 'x'\nretain = '2y'\n", "archive.rule[2]"),
        ("[cache]\nwindow = '0d'\n", "cache.window"),
        ("[cache]\nwindow = '1y'\n", "cache.window"),
        ("[cache]\nwindow = '1 month'\n", "cache.window"),
        ("[cache]\nwindow = 14\n", "cache.window"),
        ("[cache]\nwindow = '-1d'\n", "cache.window"),
        ("[cache]\nwindow = '1.5d'\n", "cache.window"),
        ("[cache]\nwindow = '999999999w'\n", "cache.window"),
        ("[cache]\nwindow = '1h'\nafter_resolve = '2h'\n", "cache.after_resolve"),
        ("[cache]\nafter_resolve = '15d'\n", "cache.after_resolve"),
        ("[cache]\nmedia = '15d'\n", "cache.media"),
        ("[cache]\nlease = '73h'\n", "cache.lease"),
        ("[cache]\nidle_lock = '0s'\n", "cache.idle_lock"),
        ("[cache]\npurge_within = '0s'\n", "cache.purge_within"),
        ("[cache]\nwindow = '1h'\npurge_within = '2h'\n", "cache.purge_within"),
        ("[cache]\nreceipt_within = '1m'\n", "cache.receipt_within"),
        ("[cache]\nmax_messages = 0\n", "cache.max_messages"),
        ("[cache]\nmax_messages = true\n", "cache.max_messages"),
        ("[cache]\ndisk = 'no'\n", "cache.disk"),
        ("[privacy]\nreveal = ['admin']\n", "privacy.reveal[1]"),
        ("[privacy]\nreveal = 'supervisor'\n", "privacy.reveal"),
        ("[hours]\nmonday = ['09:00-12:00', '11:59-13:00']\n", "hours.monday"),
        ("[hours]\nmonday = ['17:00-09:00']\n", "hours.monday[1]"),
        ("[hours]\nmonday = ['09:00-09:00']\n", "hours.monday[1]"),
        ("[hours]\nmonday = ['09:00-24:01']\n", "hours.monday[1]"),
        ("[hours]\nmonday = ['9-17']\n", "hours.monday[1]"),
        ("[hours]\nmonday = '09:00-17:00'\n", "hours.monday"),
        ("[hours]\nmonday = []\n", "hours.monday"),
        ("[hours]\ntimezone = '../etc/passwd'\n", "hours.timezone"),
        ("[hours]\ntimezone = 'Europe'\n", "hours.timezone"),
        ("[hours]\ntimezone = ''\n", "hours.timezone"),
        ("[hours]\noverride = ['agent']\n", "hours.override[1]"),
        ("[sending]\nundo = '2m'\n", "sending.undo"),
        ("[cases]\nfoi = '0 working days'\n", "cases.foi"),
        ("[approval]\npeople = 0\n", "approval.people"),
        ("name = ''\n", "name"),
        ("name = 'a\\u0000b'\n", "name"),
        ("archive = 3\n", "archive"),
    ],
)
def test_impossible_values_and_combinations_are_refused(text: str, key: str):
    """A policy that cannot be kept, or would not mean what it says, is refused at the key to change."""
    with pytest.raises(DocumentError) as refused:
        parse_policy(text.replace("a\\u0000b", "a\tb"))

    assert refused.value.key == key
    assert refused.value.line is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("window = '1d'", {"window": timedelta(days=1), "media": timedelta(days=1), "after_resolve": timedelta(days=1)}),
        ("window = '5m'", {"purge_within": timedelta(minutes=5), "media": timedelta(minutes=5)}),
        ("purge_within = '2d'", {"receipt_within": timedelta(days=2)}),
        ("lease = 0", {"lease": timedelta()}),
        ("lease = '0'", {"lease": timedelta()}),
        ("lease = '0h'", {"lease": timedelta()}),
        ("media = '0d'", {"media": timedelta()}),
    ],
)
def test_defaults_give_way_to_what_is_written(text: str, expected: dict[str, timedelta]):
    """One written key is enough: the defaults it makes impossible follow it."""
    cache = parse_policy(f"[cache]\n{text}\n").cache

    assert {key: getattr(cache, key) for key in expected} == expected


def test_the_archives_defaults_give_way_too():
    """A short retention shortens the default for media, and a short maximum both."""
    archive = parse_policy("[archive]\nmax = '30d'\n").archive

    assert (archive.retain, archive.media) == (Duration(30, "d"), Duration(30, "d"))


def test_all_problems_are_told_at_once():
    """Whoever writes a policy sees every wrong key of it, in the order of the lines."""
    with pytest.raises(DocumentError) as refused:
        parse_policy("[hours]\nmonday = ['x']\n[cache]\nwindw = '1d'\nmedia = 3\n")

    error = refused.value
    assert [found.key for found in (error, *error.others)] == ["hours.monday[1]", "cache.windw", "cache.media"]
    assert error.sentence.count("\n") == 2


def test_an_accepted_policy_is_not_looked_up_again():
    """The calendar of holidays is the one check left out for a text the hub has checked; the others stay."""
    assert parse_policy("[hours]\nholidays = 'XX'\n", accepted=True).hours.holidays == "XX"
    with pytest.raises(DocumentError):
        parse_policy("[cache]\nlease = '100h'\n", accepted=True)


@given(policies)
def test_a_rendered_policy_parses_to_itself(policy: Policy):
    """Any policy can be written as a document, whatever is in its texts."""
    assert parse_policy(render_policy(policy, comment="made\nby a test"), accepted=True) == policy
