"""Teams, as administrators keep them."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people import teams
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.model.staff import NewTeam, Outcome
from wabiz_tui.model.work import Team


async def list_teams(hub: Hub, _caller: Caller, _request: Request) -> Response:
    found = await hub.archive.read(load_teams)
    return json_answer(list(found.values()))


async def add_team(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewTeam)
    return json_answer(await hub.archive.write(lambda writing: teams.add(writing, wanted.name, by=caller.viewer)), 201)


async def rename_team(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, team = await read_json(request, NewTeam), request.path_params["team"]
    return json_answer(await hub.archive.write(lambda writing: teams.rename(writing, team, wanted.name, by=caller.viewer)))


async def remove_team(hub: Hub, caller: Caller, request: Request) -> Response:
    team, move_to = request.path_params["team"], request.query_params.get("move_to") or None
    await hub.archive.write(lambda writing: teams.remove(writing, team, move_to=move_to, by=caller.viewer))
    return json_answer(Outcome(team, "removed"))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/teams", "team.read", "The teams.", list_teams, answer=list[Team]),
    Endpoint("POST", "/v1/teams", "team.write", "Make a team.", add_team, NewTeam, Team),
    Endpoint("PUT", "/v1/teams/{team}", "team.write", "Rename a team.", rename_team, NewTeam, Team),
    Endpoint(
        "DELETE", "/v1/teams/{team}", "team.write", "Remove a team; what waits goes to ?move_to=TEAM.", remove_team,
        answer=Outcome, parameters=("move_to",),
    ),
)  # fmt: skip
