"""Changes between policies: their direction, and what may be in force while the rest waits."""

import msgspec
import pytest
from hypothesis import given

from tests.support.policy_samples import is_valid, policies
from wabiz_tui.policy.difference import compare, in_force_meanwhile, needs_approval
from wabiz_tui.policy.document import Policy, parse_policy

SHIFTS = "[hours]\nholidays = ''\nmonday = ['08:30-17:30']\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "name = 'other'", "name: unnamed → other (neutral)"),
        ("", "[cache]\nwindow = '7d'", "cache.window: 14d → 7d (tightening)"),
        ("", "[cache]\nwindow = '21d'", "cache.window: 14d → 21d (loosening)"),
        ("", "[cache]\ndisk = false", "cache.disk: true → false (tightening)"),
        ("", "[cache]\nlease = 0", "cache.lease: 8h → 0s (tightening)"),
        ("", "[privacy]\nmask_numbers = false", "privacy.mask_numbers: true → false (loosening)"),
        ("", "[privacy]\nclipboard = 'off'", "privacy.clipboard: masked → off (tightening)"),
        ("", "[privacy]\nreveal = ['compliance']", "privacy.reveal: [supervisor, compliance] → [compliance] (tightening)"),
        (
            "",
            "[privacy]\nreveal = ['compliance', 'supervisor']",
            "privacy.reveal: [supervisor, compliance] → [compliance, supervisor] (neutral)",
        ),
        ("", "[privacy]\nreveal = ['agent']", "privacy.reveal: [supervisor, compliance] → [agent] (loosening)"),
        ("", "[privacy]\nread_receipts = 'on_view'", "privacy.read_receipts: on_reply → on_view (loosening)"),
        ("", "[sending]\nundo = '9s'", "sending.undo: 5s → 9s (tightening)"),
        ("", "[cases]\nfoi = '25 working days'", "cases.foi: 20 working days → 25 working days (loosening)"),
        ("", "[approval]\npeople = 1", "approval.people: 2 → 1 (loosening)"),
        ("", "[archive]\nretain = '5y'", "archive.retain: 6y → 5y (loosening, the archive may delete more)"),
        ("", "[archive]\nretain = '7y'", "archive.retain: 6y → 7y (tightening)"),
        ("", "[archive]\nmedia = '30d'", "archive.media: 1y → 30d (loosening, the archive may delete more)"),
        ("", "[[archive.rule]]\nlabel = 'a'\nretain = '8y'", "archive.rule[label=a]: new, 8y (tightening)"),
        ("", "[[archive.rule]]\nlabel = 'a'\nretain = '1y'", "archive.rule[label=a]: new, 1y (loosening, the archive may delete more)"),
        (
            "[[archive.rule]]\nlabel = 'a'\nretain = '8y'",
            "",
            "archive.rule[label=a]: 8y → removed (loosening, the archive may delete more)",
        ),
        ("[[archive.rule]]\nlabel = 'a'\nretain = '1y'", "", "archive.rule[label=a]: 1y → removed (tightening)"),
        (
            "[[archive.rule]]\nlabel = 'a'\nretain = '8y'",
            "[[archive.rule]]\nlabel = 'a'\nretain = '7y'",
            "archive.rule[label=a]: 8y → 7y (loosening, the archive may delete more)",
        ),
        (SHIFTS, SHIFTS.replace("17:30", "17:00"), "hours.monday: [08:30-17:30] → [08:30-17:00] (tightening)"),
        (SHIFTS, SHIFTS.replace("08:30-17:30", "09:30-18:30"), "hours.monday: [08:30-17:30] → [09:30-18:30] (loosening)"),
        (SHIFTS, SHIFTS + "off_shift = 'open'", "hours.off_shift: closed → open (loosening)"),
        (SHIFTS, SHIFTS + "timezone = 'Asia/Tokyo'", "hours.timezone: Europe/London → Asia/Tokyo (loosening)"),
        (SHIFTS, "[hours]\nholidays = ''", "hours.monday: [08:30-17:30] → [] (loosening)"),
        ("[hours]\nholidays = ''", SHIFTS, "hours.monday: [] → [08:30-17:30] (tightening)"),
        ("", "[hours]\noff_shift = 'open'", "hours.off_shift: closed → open (neutral)"),
    ],
)
def test_each_change_has_its_direction(before: str, after: str, expected: str):
    """A change is told with both values and the way it goes."""
    changes = compare(parse_policy(before), parse_policy(after))

    assert [str(change) for change in changes] == [expected]
    assert needs_approval(changes) == ("loosening" in expected)


def test_a_rule_whose_messages_fall_to_a_shorter_one_can_delete():
    """Removing a rule as long as `retain` still deletes where another, shorter rule matches the same messages."""
    short = "[[archive.rule]]\nnumber = '1'\nretain = '2y'\n"

    changes = compare(parse_policy(short + "[[archive.rule]]\nlabel = 'a'\nretain = '6y'\n"), parse_policy(short))

    assert changes[0].can_delete


def test_every_key_of_a_policy_has_a_direction():
    """A policy that differs in everything is compared without a gap."""
    fields = {
        f"{section.name}.{field.name}" if issubclass(section.type, msgspec.Struct) else section.name
        for section in msgspec.structs.fields(Policy)
        for field in (msgspec.structs.fields(section.type) if issubclass(section.type, msgspec.Struct) else [section])
    }
    from wabiz_tui.policy.difference import _DIRECTIONS  # pyright: ignore[reportPrivateUsage] the table is what is held complete

    assert fields - {"archive.rule"} == set(_DIRECTIONS)


@given(policies, policies)
def test_while_the_loosening_waits_nothing_is_looser(old: Policy, new: Policy):
    """What is in force meanwhile is valid, loosens nothing of the old one, and lacks only what waits; shifts wait as one."""
    between = in_force_meanwhile(old, new)

    assert is_valid(between)
    assert not needs_approval(compare(old, between))
    waiting = {change.key for change in compare(old, new) if change.needs_approval}
    left = {change.key for change in compare(between, new)}
    assert waiting <= left
    assert {key for key in left - waiting if not key.startswith("hours.")} == set()


@given(policies)
def test_nothing_changes_between_a_policy_and_itself(policy: Policy):
    """Equal policies have no differences."""
    assert compare(policy, policy) == []
    assert in_force_meanwhile(policy, policy) == policy
