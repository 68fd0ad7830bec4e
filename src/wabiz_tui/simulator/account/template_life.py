"""What becomes of a template: reviewed, paused, moved to another category, paced; each told by its webhook (cloud-api §5, §10)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.simulator.account.telling import REVIEW_SECONDS, tell_account
from wabiz_tui.simulator.account.templates import STATUSES
from wabiz_tui.simulator.world import Sent, World

PAUSES = (timedelta(hours=3), timedelta(hours=6))
"""The third time it is disabled for good."""
PACING_TAKES = timedelta(hours=1)
CATEGORY_NOTICE = timedelta(days=1)
ARCHIVED_FOR = timedelta(days=28)
EVENTS = (*STATUSES, "REINSTATED", "UNARCHIVED", "DELETED")
SCORES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
_PAUSE_TITLES = ("FIRST_PAUSE", "SECOND_PAUSE")


def begin_review(world: World, item: Json) -> None:
    """It is approved in a while, unless somebody decides before (or `reviews` is off)."""
    life = world.templates.life(item)
    life.review += 1
    mine = life.review
    if not world.account.reviews:
        return

    async def decided() -> None:
        if item in world.templates.items and item["status"] == "PENDING" and life.review == mine:
            set_status(world, item, "APPROVED")

    world.timeline.after(REVIEW_SECONDS * world.settings.pace, decided)


def set_status(world: World, item: Json, event: str, *, reason: str = "NONE", title: str = "", text: str = "") -> None:
    """`event` is a status, or REINSTATED or UNARCHIVED (then it is approved again)."""
    status = "APPROVED" if event in ("REINSTATED", "UNARCHIVED") else event
    item["status"] = status
    item["rejected_reason"] = reason if status == "REJECTED" else "NONE"
    if status == "APPROVED" and object_of(item["quality_score"]).get("score") == "RED":
        item["quality_score"] = {"score": "UNKNOWN", "date": int(world.now().timestamp())}
    value: Json = {"event": event, **_named(item), "message_template_category": item["category"], "reason": reason}
    if title:
        value["other_info"] = {"title": title, "description": text or title}
    if event == "REJECTED":
        value["rejection_info"] = {"reason": reason, "recommendation": text or "Change the template and send it in again."}
    if event == "DISABLED":
        value["disable_info"] = {"disable_date": int(world.now().timestamp())}
    tell_account(world, "message_template_status_update", value)
    if status == "ARCHIVED":
        world.timeline.at(world.now() + ARCHIVED_FOR, _delete_archived(world, item))


def set_quality(world: World, item: Json, score: str) -> None:
    """RED pauses it: three hours, then six, then it is disabled."""
    before = word(object_of(item["quality_score"]).get("score"))
    item["quality_score"] = {"score": score, "date": int(world.now().timestamp())}
    tell_account(world, "message_template_quality_update", {"previous_quality_score": before, "new_quality_score": score, **_named(item)})
    if score == "RED" and item["status"] == "APPROVED":
        pause(world, item)


def pause(world: World, item: Json) -> None:
    life = world.templates.life(item)
    turn = life.pauses
    life.pauses += 1
    if turn >= len(PAUSES):
        set_status(world, item, "DISABLED", title="DISABLED", text="The template was paused twice before.")
        return
    set_status(world, item, "PAUSED", title=_PAUSE_TITLES[turn], text=f"Paused for {PAUSES[turn].total_seconds() / 3600:.0f} hours.")

    async def over() -> None:
        if item["status"] == "PAUSED" and life.pauses == turn + 1 and not life.by_pacing:
            set_status(world, item, "APPROVED", title="UNPAUSE")

    world.timeline.at(world.now() + PAUSES[turn], over)


def unpause(world: World, item: Json) -> bool:
    """By hand. Only a pause by pacing needs it; others end by themselves too."""
    if item["status"] != "PAUSED":
        return False
    world.templates.life(item).by_pacing = False
    set_status(world, item, "APPROVED", title="UNPAUSE")
    return True


def set_category(world: World, item: Json, category: str, *, at_once: bool = False) -> None:
    """Announced a day before; the announcement's `new_category` is still the one in force."""
    notice = timedelta() if at_once else CATEGORY_NOTICE
    if not at_once:
        due = int((world.now() + notice).timestamp())
        told = {"correct_category": category, "new_category": item["category"], "category_update_timestamp": due}
        item["correct_category"] = category
        tell_account(world, "template_category_update", {**_named(item), **told})

    async def done() -> None:
        if item["category"] == category:
            return
        before, item["category"] = item["category"], category
        item["previous_category"] = before
        item.pop("correct_category", None)
        tell_account(world, "template_category_update", {**_named(item), "previous_category": before, "new_category": category})

    world.timeline.at(world.now() + notice, done)


def tell_components(world: World, item: Json) -> None:
    """After an edit was approved."""
    value = _named(item)
    for component in (object_of(one) for one in list_of(item["components"])):
        kind = word(component.get("type")).upper()
        if kind == "BODY":
            value["message_template_element"] = component.get("text")
        elif kind == "HEADER" and component.get("text"):
            value["message_template_title"] = component["text"]
        elif kind == "FOOTER" and component.get("text"):
            value["message_template_footer"] = component["text"]
        elif kind == "BUTTONS":
            value["message_template_buttons"] = [_button(object_of(one)) for one in list_of(component.get("buttons"))]
    tell_account(world, "message_template_components_update", value)


def hold(world: World, item: Json, sent: Sent, release: Callable[[], None]) -> None:
    """Pacing keeps this message back; `decide` lets it go, or it is let go by itself after an hour."""
    world.account.held.append((item, sent, release))

    async def due() -> None:
        decide(world, item, is_released=True)

    world.timeline.at(world.now() + PACING_TAKES, due)


def decide(world: World, item: Json, *, is_released: bool) -> int:
    """Ends the pacing of a template: its held messages are sent, or dropped with 132015 and the template paused. How many there were."""
    from wabiz_tui.simulator.webhooks.statuses import tell_status

    mine = [one for one in world.account.held if one[0] is item]
    world.account.held = [one for one in world.account.held if one[0] is not item]
    life = world.templates.life(item)
    life.held = 0
    if not is_released and item["status"] == "APPROVED":
        life.by_pacing = True
        set_status(world, item, "PAUSED", title="RATE_LIMITING_PAUSE", text="Paused by pacing: customers did not like it.")
    for _, sent, release in mine:
        if is_released:
            release()
        else:
            tell_status(world, sent, "failed", category=word(item["category"]).lower(), code=132015)
    return len(mine)


def _delete_archived(world: World, item: Json) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        if item["status"] == "ARCHIVED" and item in world.templates.items:
            world.templates.items.remove(item)
            item["status"] = "DELETED"
            tell_account(world, "message_template_status_update", {"event": "DELETED", **_named(item), "reason": "NONE"})

    return act


def _named(item: Json) -> Json:
    """Webhooks name the id as a number."""
    return {
        "message_template_id": int(word(item["id"])),
        "message_template_name": item["name"],
        "message_template_language": item["language"],
    }


def _button(button: Json) -> Json:
    told = (
        ("message_template_button_type", button.get("type")),
        ("message_template_button_text", button.get("text")),
        ("message_template_button_url", button.get("url")),
        ("message_template_button_phone_number", button.get("phone_number")),
    )
    return {key: value for key, value in told if value}
