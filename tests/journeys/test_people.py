"""An administrator keeps people and teams, and a compliance officer unmasks a customer, from the command line."""

from tests.support.road import Road


def test_people_and_teams_from_the_command_line(road: Road) -> None:
    """A team is made, a person joins it by its name and leaves for good; a near miss names the team."""
    team = road.admin.records("teams", "add", "Night shift")[0]
    person = road.admin.records("people", "add", "Pat Moss", "--role", "agent", "--team", "night SHIFT")[0]["person"]
    near = road.admin.run("people", "change", person, "--team", "Nite shift", check=False)
    revoked = road.admin.records("people", "revoke", person)[0]
    listed = next(row for row in road.admin.records("people", "list") if row["id"] == person)

    assert (near.returncode, "Night shift" in near.stderr) == (1, True)
    assert listed["teams"] == [team["id"]]
    assert revoked["state"] == "revoked"
    assert listed["revoked_at"]


def test_a_masked_customer_is_revealed_with_a_reason(road: Road) -> None:
    """The officer sees the number for a reason; an agent, whom the policy does not name, is denied."""
    road.customer_writes("Who am I?", phone="+447700900414", name="Revealed One")
    contact = road.conversation_of("Revealed One", road.officer)["contact"]

    shown = road.officer.records("reveal", contact, "--reason", "case 414")[0]
    denied = road.agent.run("reveal", contact, "--reason", "curious", check=False)

    assert shown["contact"]["phone"] == "+447700900414"
    assert (denied.returncode, "reveal_not_allowed" in denied.stderr) == (3, True)
