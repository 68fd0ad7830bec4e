"""How the cache answers a search: newest first by the number in the index, never counting or sorting all hits."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

import msgspec

from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.reading import shown_conversation
from wabiz_tui.desk.cache.search.question import Filter, Question, match_of, terms_of
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.times import DOCS_PER_MS, to_ms
from wabiz_tui.desk.cache.words import folded
from wabiz_tui.model.desk import SearchHit
from wabiz_tui.model.values import Message

_sql = load_queries("search.sql")
_MOST_RANKED = 5_000
"""Ranking scores every hit (reference: limits §1, search by rank)."""
_MOST_NAMED, _MOST_SHOWN = 200, 10
"""Conversations that are looked at, and shown, for a name: what more share is no way to find one."""
_MOST_DOC = (1 << 63) - 1

_MESSAGE = "CAST(m.value AS TEXT)"
_CONVERSATION = "CAST(c.value AS TEXT)"
_HAS = {
    "media": f"AND {_MESSAGE} ->> '$.content.kind' IN ('image', 'video', 'audio', 'document', 'sticker')",
    "contact": f"AND {_MESSAGE} ->> '$.content.kind' = 'contacts'",
    "link": f"AND {_MESSAGE} ->> '$.content.body' LIKE '%http%://%'",
}
_OF_CONVERSATION = {
    **{status: f"AND c.status = '{status}'" for status in ("open", "pending", "snoozed", "resolved")},
    "unread": "AND c.unread > 0",
    "mine": "AND c.assignee = :me AND c.status <> 'resolved'",
    "unassigned": "AND c.assignee IS NULL AND c.status <> 'resolved'",
    "held": f"AND {_CONVERSATION} ->> '$.held'",
}
_OF_MESSAGE = {
    **{direction: f"AND {_MESSAGE} ->> '$.direction' = '{direction}'" for direction in ("note", "incoming", "outgoing")},
    "failed": f"AND {_MESSAGE} ->> '$.delivery.state' = 'failed'",
}
_LABEL = f"AND EXISTS (SELECT 1 FROM json_each({_CONVERSATION}, '$.labels') l WHERE folded(l.value) = :value)"  # noqa: S608 put together of the constants above


class _Named(msgspec.Struct):
    """What a hit shows of its conversation: the rest of the value is passed over, in a tenth of the time that SQLite's JSON takes."""

    name: str = ""


def find(connection: Connection, question: Question, *, me: str, now: int, limit: int, ranked: bool) -> list[SearchHit]:
    """Conversations whose names have all the words, then messages that have them; of filters alone, the newest messages that pass."""
    if question.is_empty:
        return []
    if any(one.name in ("from", "label") for one in question.filters):
        connection.create_function("folded", 1, _folded, deterministic=True)
    parameters: dict[str, Any] = {"words": question.expression(), "me": me, "now": now, "limit": limit}
    named = _by_name(connection, question, parameters) if question.terms else []
    return named[:limit] + _messages(connection, question, parameters | {"limit": limit - min(len(named), limit)}, ranked=ranked)


def _messages(connection: Connection, question: Question, parameters: dict[str, Any], *, ranked: bool) -> list[SearchHit]:
    query = "by_words" if question.terms else "by_filters"
    if (
        ranked
        and question.terms
        and connection.execute(_sql["count_hits"], parameters | {"most": _MOST_RANKED + 1}).fetchone()[0] <= _MOST_RANKED
    ):
        query = "by_rank"
    statement, values = _with_conditions(_sql[query], question.filters, "w.rowid" if question.terms else "m.doc")
    rows = connection.execute(statement, parameters | values).fetchall()
    return [SearchHit(stored(value, Message), "" if held is None else stored(held, _Named).name) for value, held in rows]


def _by_name(connection: Connection, question: Question, parameters: dict[str, Any]) -> list[SearchHit]:
    if not all(_is_of_conversation(one) for one in question.filters):
        return []
    statement, values = _with_conditions(_sql["by_name"], question.filters, "")
    most = {"most": _MOST_NAMED, "limit": min(_MOST_SHOWN, parameters["limit"])}
    found = (shown_conversation(value, may_preview=bool(may)) for value, may in connection.execute(statement, parameters | values | most))
    return [SearchHit(None, held.name, held) for held in found]


def _is_of_conversation(one: Filter) -> bool:
    return one.name == "label" or (one.name == "is" and one.value in _OF_CONVERSATION)


def _with_conditions(query: str, filters: tuple[Filter, ...], doc: str) -> tuple[str, dict[str, Any]]:
    """The query with a condition a filter. What is typed is bound; what is put in are the words of this file."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for number, one in enumerate(filters):
        condition, bound = _CONDITIONS[one.name](one, doc)
        for name, value in bound.items():
            condition = condition.replace(f":{name}", f":{name}_{number}")
            values[f"{name}_{number}"] = value
        conditions.append(condition)
    return query.replace("{conditions}", " ".join(conditions)), values


def _from(one: Filter, _doc: str) -> tuple[str, dict[str, Any]]:
    if one.value.lower() == "me":
        return f"AND {_MESSAGE} ->> '$.author' = :me", {}
    if one.value.lower() == "customer":
        return "AND m.is_incoming", {}
    author = f"(NOT m.is_incoming AND instr(folded({_MESSAGE} ->> '$.author_name'), :author))"
    named, value = _named(one.value)
    return f"AND ((m.is_incoming AND {named}) OR {author})", {"author": _folded(one.value)} | value


def _to(one: Filter, _doc: str) -> tuple[str, dict[str, Any]]:
    if one.value.lower() == "me":
        return "AND m.is_incoming AND c.assignee = :me", {}
    named, value = _named(one.value)
    return f"{_OF_MESSAGE['outgoing']} AND {named}", value


def _label(one: Filter, _doc: str) -> tuple[str, dict[str, Any]]:
    return _LABEL, {"value": _folded(one.value)}


def _has(one: Filter, _doc: str) -> tuple[str, dict[str, Any]]:
    return _HAS.get(one.value) or f"AND {_MESSAGE} ->> '$.content.kind' = '{one.value}'", {}


def _is(one: Filter, _doc: str) -> tuple[str, dict[str, Any]]:
    return _OF_CONVERSATION.get(one.value) or _OF_MESSAGE[one.value], {}


def _before(one: Filter, doc: str) -> tuple[str, dict[str, Any]]:
    return f"AND {doc} < :doc", {"doc": _first_doc(one)}


def _after(one: Filter, doc: str) -> tuple[str, dict[str, Any]]:
    return f"AND {doc} >= :doc", {"doc": _first_doc(one)}


def _first_doc(one: Filter) -> int:
    """The least number that a message of that millisecond can have in the index."""
    return 0 if one.at is None else max(-_MOST_DOC, min(_MOST_DOC, to_ms(one.at) * DOCS_PER_MS))


_CONDITIONS: dict[str, Callable[[Filter, str], tuple[str, dict[str, Any]]]] = {
    "from": _from, "to": _to, "label": _label, "has": _has, "is": _is, "before": _before, "after": _after,
}  # fmt: skip


def _named(value: str) -> tuple[str, dict[str, Any]]:
    """Of conversations whose names have all these words, each of which may go on."""
    words = match_of(tuple(term for word in value.split() for term in terms_of(word, begins=True)))
    return ("0", {}) if words is None else ("m.conversation IN (SELECT conversation FROM names WHERE names MATCH :value)", {"value": words})


def _folded(value: object) -> str:
    return folded(str(value or "")).casefold()
