"""Service levels: when the next one of a conversation runs out, and which ran out.

A response is counted from the customer's oldest message without an answer, in any status: setting a conversation aside answers
nobody. The resolution is counted from the opening of the episode, and stands still while it is pending or snoozed.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from wabiz_tui.hub.archive.clocks import EPISODE_CLOCKS, Breach, record_breaches, take_back
from wabiz_tui.hub.archive.conversations import CONVERSATIONS, EPISODES
from wabiz_tui.hub.archive.facts import Answered
from wabiz_tui.hub.archive.shelves import Row
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.teams import names_of_teams
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.model.codec import decode
from wabiz_tui.model.work import Clock
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.service import Levels, levels_for
from wabiz_tui.policy.working_time import add_working, working_between

_MOST_REMEMBERED = 20
"""So many who let a conversation go are known of one episode."""


class Reckoning:
    """Brings the clocks of some conversations up to date in one transaction; what it reads, it reads for all of them at once."""

    def __init__(self, writing: Writing, policy: Policy) -> None:
        self._writing, self._policy = writing, policy
        # Asked first: the database is asked past the shelves, which are empty after.
        self._teams = names_of_teams(writing) if any(rule.team for rule in policy.service.rule) else {}
        self._breaches: list[Breach] = []
        self._in_time: list[tuple[str, Clock, int]] = []
        self.taken: dict[str, None] = {}
        """Who was given one of these conversations since the last reckoning."""
        self.moved: list[str] = []
        """The conversations whose levels run out at another time than before."""

    def reckon(self, conversations: Sequence[str], answers: Sequence[Answered] = ()) -> list[Breach]:
        """The breaches that are new, kept. `answers` are those of this transaction."""
        writing = self._writing
        talks, episodes, clocks = writing.shelf(CONVERSATIONS), writing.shelf(EPISODES), writing.shelf(EPISODE_CLOCKS)
        talks.fetch(conversations)
        rows = [row for row in map(talks.get, conversations) if row is not None]
        wanted = [row["episode"] for row in rows]
        episodes.fetch((*wanted, *(answer.episode for answer in answers)))
        clocks.fetch(wanted)
        answered = {answer.episode for answer in answers}
        for answer in answers:
            self._judge(answer)
        for row in rows:
            episode = episodes.get(row["episode"])
            if episode is not None:
                self._bring_up(row, episode, is_answered=episode["id"] in answered)
        for late in self._in_time:
            take_back(writing, *late)
        return record_breaches(writing, self._breaches)

    def _bring_up(self, conversation: Row, episode: Row, *, is_answered: bool) -> None:
        clocks = self._writing.shelf(EPISODE_CLOCKS)
        before = clocks.get(episode["id"])
        if before is None:
            if episode["status"] == "resolved":
                return
            clocks.add({"episode": episode["id"], "conversation": conversation["id"]})
            before = clocks.get(episode["id"]) or {}
        was = dict(before)
        values = self._running(episode, was) | self._queue(conversation, episode, was)
        values |= self._due(conversation, episode, values)
        self._breaches += self._overdue(conversation, episode, was, values, is_answered=is_answered)
        dues = [values[key] for key in ("response_due_ms", "resolution_due_ms") if values[key] is not None]
        values["alarm_ms"] = min((due for due in dues if due > self._writing.now_ms), default=None)
        changed = {key: value for key, value in values.items() if was.get(key) != value}
        if {"response_due_ms", "resolution_due_ms"} & changed.keys():
            self.moved.append(conversation["id"])
        if changed:
            clocks.change(episode["id"], **changed)

    def _running(self, episode: Row, was: Row) -> dict[str, Any]:
        """Since when the work on it runs, and how much was worked in the stretches before."""
        now_ms, running, spent = self._writing.now_ms, was.get("running_ms"), was.get("spent_ms")
        if episode["status"] == "open":
            if running is None:
                running = episode["opened_ms"] if spent is None else now_ms
            return {"running_ms": running, "spent_ms": spent}
        if running is not None or spent is None:
            begun = running if running is not None else episode["opened_ms"]
            worked = working_between(self._policy, from_ms(begun), from_ms(now_ms))
            spent = (spent or 0) + worked // timedelta(milliseconds=1)
        return {"running_ms": None, "spent_ms": spent}

    def _due(self, conversation: Row, episode: Row, values: dict[str, Any]) -> dict[str, Any]:
        levels, is_over = self._levels(conversation, episode), episode["status"] == "resolved"
        waiting_ms = None if is_over else conversation["waiting_since_ms"]
        level = levels.first_response if episode["first_response_ms"] is None else levels.next_response
        resolution = None
        if values["running_ms"] is not None and levels.resolution is not None:
            left = levels.resolution - timedelta(milliseconds=values["spent_ms"] or 0)
            resolution = self._after(values["running_ms"], left)
        response = None if waiting_ms is None or level is None else self._after(waiting_ms, level)
        return {"waiting_ms": waiting_ms, "response_due_ms": response, "resolution_due_ms": resolution}

    def _overdue(self, conversation: Row, episode: Row, was: Row, values: dict[str, Any], *, is_answered: bool) -> Iterator[Breach]:
        """What has run out: by the clocks as they stand, and by those that were stopped only after their time."""
        now_ms = self._writing.now_ms
        response: Clock = "first_response" if episode["first_response_ms"] is None else "next_response"
        for clocks in (values, was):
            due, begun = clocks.get("response_due_ms"), clocks.get("waiting_ms")
            # Whether what an answer stopped had run out, the answer's own time says (_judge).
            if due is not None and begun is not None and due <= now_ms and not (clocks is was and is_answered):
                yield Breach(episode["id"], conversation["id"], response, begun, due)
            due = clocks.get("resolution_due_ms")
            if due is not None and due <= now_ms:
                yield Breach(episode["id"], conversation["id"], "resolution", episode["opened_ms"], due)

    def _judge(self, answer: Answered) -> None:
        episode, conversation = (
            self._writing.shelf(EPISODES).get(answer.episode),
            self._writing.shelf(CONVERSATIONS).get(answer.conversation),
        )
        if episode is None or conversation is None:
            return
        levels = self._levels(conversation, episode)
        clock: Clock = "first_response" if answer.is_first else "next_response"
        level = levels.first_response if answer.is_first else levels.next_response
        due = None if level is None else self._after(answer.waiting_ms, level)
        if due is None:
            return
        if answer.at_ms > due:
            self._breaches.append(Breach(answer.episode, answer.conversation, clock, answer.waiting_ms, due))
        elif due <= self._writing.now_ms:
            self._in_time.append((answer.episode, clock, answer.waiting_ms))

    def _queue(self, conversation: Row, episode: Row, was: Row) -> dict[str, Any]:
        """Since when it waits for somebody to have it: a customer waits, it was opened again, or somebody let it go."""
        assignee, had_by, queued = episode["assignee"], was.get("had_by"), was.get("queued_ms")
        if assignee is not None:
            if assignee != had_by:
                self.taken[assignee] = None
            return {"had_by": assignee, "queued_ms": None}
        if episode["status"] == "resolved":
            return {"had_by": None, "queued_ms": None}
        if had_by is not None:
            let_go_by = (was.get("let_go_by") or "").split()
            if episode["assigned_by"] == had_by and had_by not in let_go_by:
                let_go_by = [*let_go_by, had_by][-_MOST_REMEMBERED:]
            return {"had_by": None, "queued_ms": self._writing.now_ms, "let_go_by": " ".join(let_go_by) or None}
        is_opened_again = episode["status"] == "open" and was.get("running_ms") is None and was.get("spent_ms") is not None
        if queued is None and (conversation["waiting_since_ms"] is not None or is_opened_again):
            queued = self._writing.now_ms
        return {"had_by": None, "queued_ms": queued}

    def _levels(self, conversation: Row, episode: Row) -> Levels:
        team: str | None = episode["team"]
        return levels_for(
            self._policy.service,
            labels=decode(episode["labels"], tuple[str, ...]),
            team=(team, self._teams.get(team, team)) if team is not None else (),
            priority=episode["priority"],
            number=conversation["number"],
        )

    def _after(self, begin_ms: int, amount: timedelta) -> int | None:
        due = add_working(self._policy, from_ms(begin_ms), amount)
        return None if due is None else to_ms(due)
