"""Which contact a webhook speaks of."""

from datetime import UTC, datetime, timedelta

from wabiz_tui.graph.identity import Alias, Holder, aliases_of, resolve, resolve_change
from wabiz_tui.graph.parsed import Identity, IdentityChange

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PHONE, USER, OTHER = Alias("wa_id", "1"), Alias("bsuid", "BR.1"), Alias("bsuid", "BR.2")
BOTH = Identity(wa_id="1", user_id="BR.1")


def holder(contact: str, *aliases: Alias, days: int = 1, last: int | None = 1) -> Holder:
    return Holder(contact, frozenset(aliases), NOW - timedelta(days=days), None if last is None else NOW - timedelta(days=last))


def test_lookup_order() -> None:
    """Parent BSUID, BSUID, phone; never name or username; a group is itself."""
    identity = Identity(wa_id="1", user_id="BR.1", parent_user_id="BR.ENT.1", username="@a", name="A")

    assert [alias.kind for alias in aliases_of(identity)] == ["parent_bsuid", "bsuid", "wa_id"]
    assert aliases_of(Identity(group_id="G", wa_id="1")) == (Alias("group", "G"),)


def test_unknown_is_new() -> None:
    """Nobody holds any of the aliases: a new contact with all of them."""
    assert resolve(BOTH, [], now=NOW) == resolve(BOTH, [], now=NOW + timedelta(days=1))
    assert resolve(BOTH, [], now=NOW).contact is None
    assert resolve(BOTH, [], now=NOW).attached == (USER, PHONE)


def test_missing_alias_is_attached() -> None:
    """A known phone that comes with a BSUID learns it."""
    outcome = resolve(BOTH, [holder("a", PHONE)], now=NOW)

    assert (outcome.contact, outcome.attached, outcome.merged, outcome.ended) == ("a", (USER,), (), ())


def test_phone_only_history_is_merged_into_the_older() -> None:
    """The phone's contact without a BSUID is the same person; the older contact stays."""
    outcome = resolve(BOTH, [holder("new", USER, days=1), holder("old", PHONE, days=90)], now=NOW)

    assert (outcome.contact, outcome.merged, outcome.ended) == ("old", ("new",), ())


def test_old_phone_history_is_only_proposed() -> None:
    """After half a year the number may be another person's: the merge is proposed, the phone moves."""
    outcome = resolve(BOTH, [holder("new", USER), holder("old", PHONE, days=400, last=200)], now=NOW)

    assert (outcome.contact, outcome.merged, outcome.proposed) == ("new", (), ("old",))
    assert outcome.ended == (("old", PHONE),)
    assert outcome.attached == (PHONE,)


def test_recycled_number() -> None:
    """A phone that comes with another BSUID has passed to somebody else: histories are not merged."""
    known = resolve(BOTH, [holder("a", USER), holder("b", PHONE, OTHER)], now=NOW)
    unknown = resolve(BOTH, [holder("b", PHONE, OTHER)], now=NOW)

    assert (known.contact, known.ended, known.attached, known.merged) == ("a", (("b", PHONE),), (PHONE,), ())
    assert (unknown.contact, unknown.ended, unknown.attached) == (None, (("b", PHONE),), (USER, PHONE))


def test_change_of_id() -> None:
    """A told change keeps the contact, attaches the new id and ends the old."""
    change = IdentityChange(Identity(user_id="BR.1"), Identity(user_id="BR.2"))

    outcome = resolve_change(change, [holder("a", PHONE, USER)])

    assert (outcome.contact, outcome.attached, outcome.ended) == ("a", (OTHER,), (("a", USER),))


def test_change_told_after_the_first_message_under_the_new_id() -> None:
    """When the new id already made a contact of its own, the two are merged afterwards."""
    change = IdentityChange(Identity(user_id="BR.1"), Identity(user_id="BR.2"))

    outcome = resolve_change(change, [holder("new", OTHER, days=0), holder("old", PHONE, USER, days=9)])

    assert (outcome.contact, outcome.merged, outcome.ended) == ("old", ("new",), (("old", USER),))
