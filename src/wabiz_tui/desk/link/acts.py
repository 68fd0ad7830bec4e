"""Ask the hub for an act of the work: people and teams named as they are typed, the answer as one of the acts' outcomes."""

from collections.abc import Iterable
from urllib.parse import quote

from msgspec import UNSET
from msgspec.structs import replace

from wabiz_tui.desk.link.link import Link
from wabiz_tui.model.acts import Assign, HandOver, MoveToTeam, WorkAct, WorkDone, WriteNote, request_of
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.naming import name_key
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import Team

ME = "me"


async def perform(link: Link, act: WorkAct, *, me: str) -> WorkDone:
    """Raises UsageError for a name that nobody has or several have, and the hub's refusals."""
    request = request_of(await _named(link, act, me))
    answer = decode(await link.request("POST", quote(request.path), encode(request.body)), request.kind)
    return WorkDone(**{request.field: answer})


async def _named(link: Link, act: WorkAct, me: str) -> WorkAct:
    """The act with ids in place of names."""
    match act:
        case Assign(conversation, change):
            team = change.team if change.team is UNSET or change.team is None else await _team(link, change.team)
            return Assign(conversation, replace(change, person=await _person(link, change.person, me), team=team))
        case MoveToTeam(conversation, change) if change.team is not None:
            return MoveToTeam(conversation, replace(change, team=await _team(link, change.team)))
        case WriteNote(conversation, change) if change.mentions:
            mentions = tuple([await _person(link, one, me) or "" for one in change.mentions])
            return WriteNote(conversation, replace(change, mentions=mentions))
        case HandOver(person, change):
            return HandOver(await _person(link, person, me) or "", replace(change, to=await _person(link, change.to, me)))
        case _:
            return act


async def _person(link: Link, named: str | None, me: str) -> str | None:
    if named is None or named == ME:
        return None if named is None else me
    if is_id(named):
        return named
    people = decode(await link.request("GET", "/v1/people"), list[Person])
    return _only([one.id for one in people if one.revoked_at is None and _is_called(one.name, named)], "person")


async def _team(link: Link, named: str) -> str:
    if is_id(named):
        return named
    teams = decode(await link.request("GET", "/v1/teams"), list[Team])
    return _only([one.id for one in teams if _is_called(one.name, named)], "team")


def _is_called(name: str, named: str) -> bool:
    return name_key(name) == name_key(named.strip())


def _only(found: Iterable[str], what: str) -> str:
    ids = list(found)
    if len(ids) != 1:
        which = "No" if not ids else "More than one"
        raise UsageError(
            f"{which} {what} has this name; give the id, which `wabiz {'people' if what == 'person' else 'teams'} list` shows."
        )
    return ids[0]
