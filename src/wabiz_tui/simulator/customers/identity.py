"""Who a customer is changes: a number or user id that moves on, a recycled number, a new security code (cloud-api §8, §14)."""

import hashlib

from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.customers.characters import CHARACTERS
from wabiz_tui.simulator.customers.incoming import write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.webhooks.delivery import Delivery
from wabiz_tui.simulator.webhooks.envelope import seconds
from wabiz_tui.simulator.world import World

ORDERS = ("system_first", "update_first", "system_only", "update_only", "none")
CHANGES = (
    "name", "username", "hide_phone", "parent_user_id", "user_id", "reads", "on_whatsapp", "online", "language", "character", "new_phone",
    "new_user_id", "order", "recycle", "identity_changed",
)  # fmt: skip
_FLAGS = (("hide_phone", "is_phone_hidden"), ("reads", "reads"), ("on_whatsapp", "is_reachable"), ("online", "is_online"))


def change(world: World, customer: Customer, asked: Json, *, number: str | None = None) -> list[Delivery | None]:
    """Change what is asked; the webhooks that tell of it. Null takes a name, username or id away. Raises BadInput."""
    _check(asked)
    for key in ("name", "username", "user_id", "parent_user_id"):
        if key in asked:
            setattr(customer, key, word(asked[key]) or None)
    for key, attribute in _FLAGS:
        if key in asked:
            setattr(customer, attribute, asked[key])
    if customer.is_online:
        waiting, customer.waiting = customer.waiting, []
        for tell in waiting:
            tell()
    told: list[Delivery | None] = []
    to = number or world.options.phone_number_ids[0]
    if asked.get("identity_changed"):
        told.append(_tell_identity(world, customer, to))
    if "new_phone" in asked or "new_user_id" in asked:
        told += _move(world, customer, asked, to)
    if asked.get("recycle"):
        recycle(world, customer, word(object_of(asked["recycle"]).get("name")) or None)
    return told


def recycle(world: World, customer: Customer, name: str | None) -> Customer:
    """The number passes to somebody else; nobody is told. The new owner has a user id of their own; the old keeps only theirs."""
    if customer.wa_id is None:
        raise BadInput("Only a customer with a phone number can lose it: this one has none.")
    phone, customer.wa_id = customer.wa_id, None
    user_id = made_user_id(phone, owner=str(sum(one.wa_id == phone for one in world.people.all()) + 2)) if customer.user_id else None
    return world.people.add(Customer(wa_id=phone, user_id=user_id, name=name))


def _check(asked: Json) -> None:
    for key, _ in (*_FLAGS, ("identity_changed", "")):
        if key in asked and not isinstance(asked[key], bool):
            raise BadInput(f"`{key}` is true or false.")
    if asked.get("order", "none") not in ORDERS:
        raise BadInput(f"`order` is one of {', '.join(ORDERS)}.")
    if asked.get("character", "") not in ("", None, *CHARACTERS):
        raise BadInput(f"There is no such character; there are {', '.join(CHARACTERS)}.")
    if "new_phone" in asked and not digits_of(word(asked["new_phone"])):
        raise BadInput("`new_phone` is a phone number.")


def _move(world: World, customer: Customer, asked: Json, number: str) -> list[Delivery | None]:
    """A new phone brings a new user id with it; the system message and `user_id_update` come in either order (cloud-api §14)."""
    old_phone, old_id, old_shown = customer.wa_id, customer.user_id, customer.shown_wa_id
    phone = digits_of(word(asked.get("new_phone"))) or old_phone
    made = made_user_id(phone) if phone and old_id and phone != old_phone else old_id
    user_id = word(asked.get("new_user_id")) or made
    customer.wa_id, customer.user_id = phone, user_id
    order = word(asked.get("order")) or "system_first"

    def tell_system() -> Delivery | None:
        who = customer.name or "User"
        kind, before, after = ("user_changed_user_id", old_id, user_id) if old_id != user_id else ("user_changed_number", old_phone, phone)
        system: Json = {"type": kind, "body": f"User {who} changed from {before} to {after}"}
        system |= {key: value for key, value in (("wa_id", customer.shown_wa_id), ("user_id", user_id)) if value}
        message: Json = {"from": old_shown} if old_shown else {}
        wamid = world.wamid(old_phone or customer.key[-15:], is_ours=False)
        message |= {"id": wamid, "timestamp": seconds(world.now()), "type": "system", "system": system}
        return world.courier.tell([world.told(number, {"messages": [message]}, "messages")])

    def tell_update() -> Delivery | None:
        if old_id == user_id:
            return None
        update: Json = {"wa_id": customer.shown_wa_id} if customer.shown_wa_id else {}
        update |= {"detail": "The user changed their phone number.", "user_id": {"previous": old_id, "current": user_id}}
        update["timestamp"] = seconds(world.now())
        value: Json = {"contacts": [customer.contact()], "user_id_update": [update]}
        return world.courier.tell([world.told(number, value, "other", field_name="user_id_update")])

    parts = {"system_first": (tell_system, tell_update), "update_first": (tell_update, tell_system)}
    parts |= {"system_only": (tell_system,), "update_only": (tell_update,)}
    return [tell() for tell in parts.get(order, ())]


def _tell_identity(world: World, customer: Customer, number: str) -> Delivery | None:
    name = customer.name or customer.wa_id or customer.key
    created = int(world.now().timestamp() * 1000)
    code = hashlib.sha256(f"{customer.key} {created}".encode()).hexdigest()[:12]
    content: Json = {
        "type": "system",
        "system": {"type": "customer_identity_changed", "body": f"{name}'s security code changed", "customer": customer.shown_wa_id or ""},
        "identity": {"acknowledged": False, "created_timestamp": created, "hash": code},
    }
    return write(world, customer, content, number=number).delivery
