"""May this be sent, and will it arrive: Meta's rules about number, account, person and window (cloud-api §3, §11, §14)."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import MEDIA_TYPES, media_kind
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.model.content import Reaction
from wabiz_tui.simulator.account.known import AGE, find_message
from wabiz_tui.simulator.customers.people import Customer, calling_code_of, canonical, country_of, dialled, digits_of
from wabiz_tui.simulator.world import World

MEDIA_KEYS = (*MEDIA_TYPES, "gif")
_CODE_BUTTONS = ("OTP", "COPY_CODE")
_AMERICAN = "US"


class Recipient(msgspec.Struct, frozen=True):
    """`dialled` is the number as the sender meant it, None for a send by user id."""

    customer: Customer
    dialled: str | None = None


def check_account(world: World, number: str) -> None:
    """Raises CloudError 133010, 131031, 131057, 131037 or 131042. With `async`, a missing payment fails the message later instead."""
    now, own = world.now(), world.account.numbers[number]
    own.need_registered()
    if world.faults.take("account_locked", now) is not None:
        raise graph_error(131031, "The account is locked, for a breach of policy or a wrong two-step PIN")
    if world.faults.take("upgrade", now) is not None:
        raise graph_error(131057, "The account is in maintenance, for instance for a throughput upgrade")
    if own.name_status == "DECLINED":
        raise graph_error(131037, "The display name of this number is not approved")
    unpaid = world.faults.find("payment_missing", now)
    if unpaid is not None and not unpaid.params.get("async"):
        world.faults.take("payment_missing", now)
        raise graph_error(131042, "There is a problem with the payment method of the account")


def find_recipient(world: World, number: str, request: SendRequest) -> Recipient:
    """With both, `to` wins. Raises CloudError 131021, and 131009 for a user id that is not of this portfolio."""
    if request.to is not None:
        if not digits_of(request.to):
            raise graph_error(131009, "The parameter to is no phone number")
        digits = dialled(request.to, calling_code_of(world.display(number)), world.people)
        if digits == world.display(number):
            raise graph_error(131021, "The recipient is the sender")
        known = world.people.find(wa_id=digits)
        return Recipient(known or world.people.meet(wa_id=canonical(digits)), digits)
    known = world.people.find(user_id=request.recipient)
    if known is None:
        raise graph_error(131009, "The parameter recipient is not a user id of this portfolio")
    return Recipient(known)


def check_template_reach(world: World, request: SendRequest, template: Json, *, is_marketing_api: bool) -> None:
    """Raises CloudError 131062 (a code sent by user id), 131055 (the Marketing Messages API takes marketing only) or 131063."""
    category = word(template.get("category"))
    if request.to is None and category == "AUTHENTICATION" and any(True for _ in _code_buttons(template)):
        raise graph_error(131062, "Authentication templates with a one-tap, zero-tap or copy-code button need the phone number in to")
    if is_marketing_api and category != "MARKETING":
        raise graph_error(131055, "Only marketing templates can be sent through the Marketing Messages API")
    if category == "MARKETING" and not is_marketing_api and not world.account.is_marketing_allowed:
        raise graph_error(131063, "Marketing templates are turned off on Cloud API for this account")


def _code_buttons(template: Json) -> Iterator[Json]:
    for component in list_of(template.get("components")):
        for button in list_of(object_of(component).get("buttons")):
            kind = word(object_of(button).get("type")).upper()
            if kind in _CODE_BUTTONS or (kind == "URL" and "otp" in word(object_of(button).get("url")).lower()):
                yield object_of(button)


def check_files(world: World, number: str, request: SendRequest) -> None:
    """Every file named by id must be there, and be usable from this number. Raises CloudError 131009."""
    now = world.now()
    for path, name in _files(request.original.get(request.type), request.type):
        stored = world.media.find(name, now)
        if stored is None or (stored.number not in (None, number) and not stored.is_incoming):
            raise graph_error(131009, f"The parameter {path}.id names no media of this number: {name[:40]}")


def _files(value: object, path: str) -> Iterator[tuple[str, str]]:
    """The objects that hold a file, wherever they stand in the message."""
    inner = object_of(value)
    if path.rpartition(".")[2] in MEDIA_KEYS:
        if word(inner.get("id")):
            yield path, word(inner["id"])
        return
    for key, part in inner.items():
        if isinstance(part, dict):
            yield from _files(object_of(part), f"{path}.{key}")
        for index, item in enumerate(list_of(part)):
            yield from _files(item, f"{path}.{key}[{index}]")


def failure_of(world: World, number: str, recipient: Recipient, request: SendRequest, template: Json | None) -> int | None:
    """The code with which this message will fail after it was accepted, but for the window."""
    customer, now = recipient.customer, world.now()
    fault = world.faults.take("fail_later", now)
    if fault is not None:
        return int(fault.number("code", fault.number("error_code", 131026)))
    if world.faults.take("payment_missing", now) is not None:
        return 131042
    if number in customer.blocked_by:
        return 130403
    wa_id = customer.wa_id
    if not customer.is_reachable or number in customer.blocks or (wa_id is not None and not 7 <= len(wa_id) <= 15):
        return 131026
    if _is_other_identity(world, number, customer, request.identity_key_hash):
        return 137000
    if isinstance(request.content, Reaction) and not _is_target(world, request.content.message_id, now):
        return 131009
    if _is_other_kind(world, request, now):
        return 131053
    return _marketing_failure(world, customer, template, now) if template is not None else None


def _is_other_kind(world: World, request: SendRequest, now: datetime) -> bool:
    """A document may be any file that Meta takes; the others are what their MIME type says."""
    for path, name in _files(request.original.get(request.type), request.type):
        stored, kind = world.media.find(name, now), path.rpartition(".")[2]
        if stored is not None and kind in MEDIA_TYPES and kind != "document" and media_kind(stored.mime_type) != kind:
            return True
    return False


def _is_other_identity(world: World, number: str, customer: Customer, told: str | None) -> bool:
    check = object_of(world.account.numbers[number].settings.get("user_identity_change"))
    if check.get("enable_identity_key_check") is not True or told is None:
        return False
    return customer.identity_key_hash is not None and customer.identity_key_hash != told


def _is_target(world: World, wamid: str, now: datetime) -> bool:
    """A reaction's target: there, not older than 30 days, not itself a reaction."""
    target = find_message(world, wamid)
    return target is not None and target.type != "reaction" and now - target.at <= AGE


def _marketing_failure(world: World, customer: Customer, template: Json, now: datetime) -> int | None:
    """131050 for who opted out, 131049 in the United States (since April 2025) and above what one person may get in a day."""
    if word(template.get("category")) != "MARKETING":
        return None
    if not customer.wants_marketing:
        return 131050
    if _country(customer) == _AMERICAN:
        return 131049
    most = world.account.marketing_per_person
    if most is not None and not world.account.marketing.take(customer.key, most, now):
        return 131049
    return None


def _country(customer: Customer) -> str:
    """By the number where there is one: +1 is not the United States alone."""
    if customer.wa_id is None:
        return (customer.user_id or "")[:2]
    return country_of(customer.wa_id) if customer.wa_id.startswith("1") else ""
