"""Make customers, change who they are, and read them."""

from starlette.requests import Request

from wabiz_tui.graph.reading import Json, without, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.outcome import number_asked, outcome_of
from wabiz_tui.simulator.customers.identity import CHANGES, change
from wabiz_tui.simulator.customers.people import Customer, digits_of
from wabiz_tui.simulator.customers.scenario import Person
from wabiz_tui.simulator.world import World

_WHO = ("phone", "from", "wa_id", "user_id")
_HOW = ("number", "phone_number_id", "wait", "timeout")
_PAGE = 1000


async def change_customer(world: World, asked: Json) -> Json:
    """Somebody known, or somebody new, becomes what is asked; what Meta tells of it is told."""
    refuse_slips(asked, (*_WHO, *_HOW, *CHANGES))
    phone, user_id = digits_of(next((word(asked[key]) for key in _WHO[:3] if word(asked.get(key))), "")), word(asked.get("user_id"))
    if not phone and not user_id:
        raise BadInput("Name the customer: `phone` or `user_id`.")
    number = number_asked(world, asked)
    known = world.people.find(wa_id=phone or None, user_id=user_id or None)
    customer = known or world.people.meet(wa_id=phone or None, user_id=user_id or None)
    changes = without(asked, *_WHO, *_HOW)
    if "user_id" in asked and phone:
        changes["user_id"] = asked["user_id"]
    told = [one for one in change(world, customer, changes, number=number) if one is not None]
    if world.play is not None and asked.get("character"):
        world.play.enter(Person(character=word(asked["character"]), language=word(asked.get("language")) or "en", number=number), customer)
    outcomes = [await outcome_of(world, asked, one, wamid=None) for one in told]
    return {"customer": customer_row(world, customer), "told": outcomes, "new": known is None}


def customer_rows(world: World, request: Request) -> Json:
    wanted = digits_of(request.query_params.get("phone", "")), request.query_params.get("user_id", "")
    everybody = world.people.all()
    rows = [one for one in everybody if (not wanted[0] or one.wa_id == wanted[0]) and (not wanted[1] or one.user_id == wanted[1])]
    return {"customers": [customer_row(world, one) for one in rows[-_PAGE:]], "count": len(rows)}


def customer_row(world: World, one: Customer) -> Json:
    now = world.now()
    return {
        "wa_id": one.wa_id,
        "user_id": one.user_id,
        "parent_user_id": one.parent_user_id,
        "name": one.name,
        "username": one.username,
        "hide_phone": one.is_phone_hidden,
        "reads": one.reads,
        "on_whatsapp": one.is_reachable,
        "online": one.is_online,
        "character": world.play.character_of(one) if world.play is not None else None,
        "windows": {number: one.is_window_open(number, now) for number in one.last_incoming},
    }
