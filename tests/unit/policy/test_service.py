"""Service levels: which rule has the word; and who gets the next conversation."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.model.errors import DocumentError
from wabiz_tui.policy.difference import compare, in_force_meanwhile, needs_approval
from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.policy.rendering import render_policy
from wabiz_tui.policy.service import Candidate, Levels, choose, levels_for

MINUTE = timedelta(minutes=1)
DOCUMENT = """\
[service]
first_response = "30m"
resolution = "16h"
[[service.rule]]
priority = "urgent"
first_response = "5m"
[[service.rule]]
label = "VIP"
team = "Claims"
first_response = "10m"
next_response = "15m"
[assignment]
auto = "balanced"
most_open = 5
roles = ["agent", "supervisor"]
"""


def test_the_first_matching_rule_that_names_a_level_has_the_word():
    """Rules are read in their order, each level apart; what no rule names is the table's own, or has no clock."""
    service = parse_policy(DOCUMENT).service

    assert levels_for(service) == Levels(30 * MINUTE, None, 960 * MINUTE)
    assert levels_for(service, labels=["vip"], team=["t1", "claims"]) == Levels(10 * MINUTE, 15 * MINUTE, 960 * MINUTE)
    assert levels_for(service, labels=["vip"]) == Levels(30 * MINUTE, None, 960 * MINUTE)
    both = levels_for(service, labels=["vip"], team=["claims"], priority="urgent")
    assert both == Levels(5 * MINUTE, 15 * MINUTE, 960 * MINUTE)


def test_a_policy_without_the_table_has_no_levels():
    """Nothing written means no clocks, and nobody is given work."""
    policy = parse_policy("")

    assert not policy.service.has_levels
    assert policy.assignment.auto == "off"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[service]\nfirst_response = '0'", "service.first_response"),
        ("[service]\nresolution = '91d'", "service.resolution"),
        ("[service]\nfirst_respons = '1h'", "service.first_respons"),
        ("[[service.rule]]\nfirst_response = '1h'", "service.rule[1]"),
        ("[[service.rule]]\nlabel = 'a'", "service.rule[1]"),
        ("[[service.rule]]\npriority = 'urgnt'\nresolution = '1h'", "service.rule[1].priority"),
        ("[assignment]\nauto = 'balance'", "assignment.auto"),
        ("[assignment]\nmost_open = 0", "assignment.most_open"),
        ("[assignment]\nroles = ['auditor']", "assignment.roles[1]"),
    ],
)
def test_a_mistake_is_told_with_its_key(text: str, key: str):
    """Wrong levels, rules and roles are refused, each at the key to change."""
    with pytest.raises(DocumentError) as refused:
        parse_policy(text)

    assert refused.value.key == key


def test_levels_change_without_a_second_person():
    """Levels and dealing neither loosen nor tighten: they are told, in force at once, and written again as they are."""
    old, new = Policy(), parse_policy(DOCUMENT)
    changes = compare(old, new)

    assert not needs_approval(changes)
    assert "service.first_response: none → 30m (neutral)" in map(str, changes)
    assert in_force_meanwhile(old, new) == new
    assert parse_policy(render_policy(new)) == new


@given(st.lists(st.builds(Candidate, st.uuids().map(str), st.integers(0, 9), st.integers(0, 9)), max_size=6), st.integers(1, 9))
def test_the_least_loaded_is_chosen(candidates: list[Candidate], most_open: int):
    """Nobody beyond the bound is chosen, and nobody free has fewer than the chosen; the order of asking does not matter."""
    chosen = choose(candidates, most_open=most_open)
    free = [one for one in candidates if one.open < most_open]

    assert chosen == choose(candidates[::-1], most_open=most_open)
    assert (chosen is None) == (not free)
    if chosen is not None:
        mine = next(one for one in free if one.person == chosen)
        assert all((mine.open, mine.last_ms) <= (one.open, one.last_ms) for one in free)
        assert choose(candidates, most_open=most_open, preferred=free[-1].person) == free[-1].person
