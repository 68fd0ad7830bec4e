"""Run a macro: its work in one transaction, then its texts through the gateway as the person who runs it."""

from wabiz_tui.graph.reading import load_object, object_of
from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.archive.routines import answer_run
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.hub.gateway.messages import Gateway
from wabiz_tui.hub.gateway.sender import person_sender
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.routines.macros import Begun, Send, run
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import address_of
from wabiz_tui.model.work import MacroOutcome, StepOutcome


async def run_macro(
    archive: Archive, gateway: Gateway, caller: Caller, conversation: str, macro: str, *, key: str | None, business: str
) -> MacroOutcome:
    """The outcome of a run, the same for each repeat under its key. Raises what macros.run raises; then nothing was done."""
    viewer, person = caller.viewer, caller.person
    begun = await archive.write(lambda writing: run(writing, viewer, person, conversation, macro, key=key, business=business))
    if begun.earlier is not None:
        return decode(begun.earlier, MacroOutcome)
    outcomes = [StepOutcome(step.do) for step in begun.macro.steps]
    for send in begun.sends:
        outcomes[send.step] = await _send(gateway, caller, conversation, begun, send)
    outcome = MacroOutcome(begun.run, macro, conversation, tuple(outcomes), _sentence(outcomes))
    if key is not None:
        await archive.write(lambda writing: answer_run(writing, viewer.device, key, outcome))
    return outcome


async def _send(gateway: Gateway, caller: Caller, conversation: str, begun: Begun, send: Send) -> StepOutcome:
    sender = person_sender(caller.person, caller.viewer)._replace(granted=conversation)
    body = encode(build_text(recipient=address_of(conversation), body=send.text))
    return outcome_of(await gateway.messages(sender, begun.number, body, key=f"macro/{begun.run}/{send.step}"))


def outcome_of(answered: Answered) -> StepOutcome:
    """What the gateway's answer means for the step that asked."""
    if answered.status == 200:
        return StepOutcome("canned", "sent", message=answered.message)
    error = object_of(load_object(answered.body).get("error"))
    data = object_of(error.get("error_data"))
    code = str(data.get("wabiz_code") or error.get("code") or "")
    state = "uncertain" if code == "uncertain" else "refused"
    return StepOutcome("canned", state, code=code, sentence=str(data.get("details") or ""), message=answered.message)


def _sentence(outcomes: list[StepOutcome]) -> str:
    """Which steps stand and which do not, counted from 1; empty where all do."""
    failed = [(number, one) for number, one in enumerate(outcomes, start=1) if one.state not in ("done", "sent")]
    if not failed:
        return ""
    stand = [str(number) for number, one in enumerate(outcomes, start=1) if one.state in ("done", "sent")]
    words = [
        f"Step {number} was not sent: {one.sentence.rstrip('.')}."
        if one.state == "refused"
        else f"Whether step {number} was sent is not known."
        for number, one in failed
    ]
    standing = f"Step{'s' * (len(stand) > 1)} {', '.join(stand)} stand{'s' * (len(stand) == 1)}." if stand else "No other step was taken."
    return " ".join((*words, standing))
