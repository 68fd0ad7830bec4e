"""What Graph reaches by an id alone or by an id and its edge: numbers, accounts, profiles, templates, blocked users."""

import re
from collections.abc import Callable, Mapping, Sequence

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.identity import aliases_of
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.reading import Json, list_of, load_object, object_of, word
from wabiz_tui.hub.archive.contacts import contact_of, set_blocked
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.seen import seen_answer
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.hub.gateway.passing import Passing, with_own_links
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, require
from wabiz_tui.hub.gateway.templates import TemplateShelf
from wabiz_tui.model.codec import encode

_QUERY = ("fields", "summary", "limit", "after", "before", "name", "status", "category", "language", "quality_score", "content")
# Neither braces nor brackets: a field with a list of its own would lead on to everything else that the hub's token can read.
_FIELDS = re.compile(r"[a-z_]{1,60}(,[a-z_]{1,60}){0,60}")
# Nor the edges of what can be asked: Graph takes each as a field too, and gives the whole list that it names.
_NO_FIELDS = frozenset(
    {
        "access_token", "activities", "agencies", "assigned_users", "audiences", "block_users", "business_compliance_info",
        "call_permissions", "calls", "client", "conversational_automation", "dcc_config", "extensions", "flows", "groups",
        "in_progress_onbehalf_request", "media", "message_campaigns", "message_history", "message_qrdls", "message_templates",
        "messages", "migrate_flows", "obo_mobility_intent", "official_business_account", "owner_business", "phone_numbers",
        "product_catalogs", "schedules", "set_obo_mobility_intent", "set_solution_migration_intent", "settings", "solutions",
        "subscribed_apps", "template_analytics", "upsert_message_templates", "welcome_message_sequences",
        "whatsapp_business_encryption", "whatsapp_business_profile", "whatsapp_commerce_settings",
    }
)  # fmt: skip
_LONGEST_VALUE = 2000

Address = Callable[[], str]
"""The address of the call itself, without its query: where a list goes on."""


class Objects:
    def __init__(self, archive: Archive, passing: Passing, templates: TemplateShelf, accounts: Sequence[str]) -> None:
        self._archive, self._passing, self._templates, self._accounts = archive, passing, templates, frozenset(accounts)

    async def is_number(self, name: str) -> bool:
        return bool(await self._archive.read(lambda reading: load_numbers(reading, [name])))

    def is_account(self, name: str) -> bool:
        return name in self._accounts

    async def get(self, sender: Sender, name: str, query: Mapping[str, str]) -> Answered:
        """A number, an account or a template. Raises CloudError alike for what is not there and for what the sender may not see."""
        if self.is_account(name) or (sender.has_number(name) and await self.is_number(name)):
            require(sender, "number.read")
        elif await self._templates.find(name) is not None:
            return await self._template(sender, name, query)
        else:
            raise unknown_object()
        return _told(await self._passing.ask("GET", name, params=_params(query)))

    async def numbers(self, sender: Sender, account: str, query: Mapping[str, str], address: Address) -> Answered:
        """`GET /{waba}/phone_numbers`: those the sender may use."""
        self._own_account(account)
        require(sender, "number.read")
        answer = await self._passing.ask("GET", account, "phone_numbers", params=_params(query))
        mine = [one for one in list_of(answer.get("data")) if sender.has_number(word(object_of(one).get("id")))]
        return _told(with_own_links({**answer, "data": mine}, address))

    async def profile(self, sender: Sender, number: str, query: Mapping[str, str]) -> Answered:
        await self._check_number(sender, number)
        require(sender, "number.read")
        return _told(await self._passing.ask("GET", number, "whatsapp_business_profile", params=_params(query)))

    async def change_profile(self, sender: Sender, number: str, body: Json) -> Answered:
        await self._check_number(sender, number)
        require(sender, "number.write")
        return _told(await self._passing.ask("POST", number, "whatsapp_business_profile", body=body))

    async def blocked(self, sender: Sender, number: str, query: Mapping[str, str], address: Address) -> Answered:
        await self._check_number(sender, number)
        require(sender, "contact.block")
        answer = with_own_links(await self._passing.ask("GET", number, "block_users", params=_params(query)), address)
        return _told(answer if sender.viewer is None else await self._archive.read(lambda reading: seen_answer(reading, answer)))

    async def block(self, sender: Sender, number: str, body: Json, *, is_blocked: bool) -> Answered:
        """Block or unblock at Meta, and remember at the hub whom it was done to."""
        await self._check_number(sender, number)
        require(sender, "contact.block")
        answered = await self._passing.ask_partly("POST" if is_blocked else "DELETE", number, "block_users", body=body)
        done = _users_of(answered.body)
        if done:
            device = sender.viewer.device if sender.viewer is not None else ""
            await self._archive.write(
                lambda writing: _note_blocked(writing, number, done, by=sender.id, device=device, is_blocked=is_blocked)
            )
        return answered

    async def templates(self, sender: Sender, account: str, query: Mapping[str, str], address: Address) -> Answered:
        """`GET /{waba}/message_templates`: all of them to who may write them, to others those that can be sent."""
        self._own_account(account)
        require(sender, "template.read")
        params = _params(query)
        if not sender.may("template.write"):
            if params.get("status", "APPROVED") != "APPROVED":
                return _told({"data": []})
            params["status"] = "APPROVED"
        return _told(with_own_links(await self._passing.ask("GET", account, "message_templates", params=params), address))

    async def make_template(self, sender: Sender, account: str, body: Json) -> Answered:
        self._own_account(account)
        require(sender, "template.write")
        return self._changed(await self._passing.ask("POST", account, "message_templates", body=body))

    async def delete_template(self, sender: Sender, account: str, query: Mapping[str, str]) -> Answered:
        self._own_account(account)
        require(sender, "template.write")
        params = {key: query[key][:_LONGEST_VALUE] for key in ("name", "hsm_id") if query.get(key)}
        if "name" not in params:
            raise graph_error(100, "The parameter name is required")
        return self._changed(await self._passing.ask("DELETE", account, "message_templates", params=params))

    async def change_template(self, sender: Sender, name: str, body: Json, *edge: str) -> Answered:
        """Edit one, or `unpause` it."""
        require(sender, "template.write")
        if await self._templates.find(name) is None:
            raise unknown_object()
        return self._changed(await self._passing.ask("POST", name, *edge, body=body))

    async def _template(self, sender: Sender, name: str, query: Mapping[str, str]) -> Answered:
        require(sender, "template.read")
        found = await self._templates.find(name)
        if not sender.may("template.write") and (found is None or found.get("status") != "APPROVED"):
            raise unknown_object()
        return _told(await self._passing.ask("GET", name, params=_params(query)))

    async def _check_number(self, sender: Sender, number: str) -> None:
        if not await self.is_number(number):
            raise refuse("unknown_number", "This hub has no such business number")
        self._own_number(sender, number)

    def _own_number(self, sender: Sender, number: str) -> None:
        if not sender.has_number(number):
            raise refuse("unknown_number", "This hub has no such business number")

    def _own_account(self, account: str) -> None:
        if account not in self._accounts:
            raise unknown_object()

    def _changed(self, answer: Json) -> Answered:
        self._templates.forget()
        return _told(answer)


def _users_of(answer: bytes) -> list[Identity]:
    """Whom Meta says it did it to; for unblocking her page and her clients name the list differently (cloud-api §2)."""
    lists = object_of(load_object(answer).get("block_users"))
    rows = [object_of(row) for key in ("added_users", "removed_users") for row in list_of(lists.get(key))]
    return [identity for row in rows if aliases_of(identity := _user(row))]


def _user(row: Json) -> Identity:
    told = word(row.get("input"))
    user = word(row.get("user_id")) or (told if "." in told else "")
    digits = word(row.get("wa_id")) or ("" if user else "".join(filter(str.isdigit, told)))
    return Identity(wa_id=digits or None, user_id=user or None)


def _note_blocked(writing: Writing, number: str, users: Sequence[Identity], *, by: str, device: str, is_blocked: bool) -> None:
    for user in users:
        contact = contact_of(writing, user, at=writing.now)
        set_blocked(writing, contact, number, is_blocked=is_blocked)
        action = "contact.blocked" if is_blocked else "contact.unblocked"
        record(writing, Act(action, by=by, device=device, about=contact, details={"number": number}))


def unknown_object():
    return refuse("unknown_object", "Unsupported request. Nothing of this id can be seen by you")


def _told(answer: Json) -> Answered:
    return Answered(200, encode(answer))


def _params(query: Mapping[str, str]) -> dict[str, str]:
    """The parameters that are passed on. Raises CloudError 100 for fields that lead beyond the object."""
    params = {key: query[key] for key in _QUERY if query.get(key)}
    if any(len(value) > _LONGEST_VALUE for value in params.values()):
        raise graph_error(100, f"A parameter is longer than {_LONGEST_VALUE} characters")
    for fields in (params.get(key, "").replace(" ", "") for key in ("fields", "summary")):
        if fields and (not _FIELDS.fullmatch(fields) or _NO_FIELDS & set(fields.split(","))):
            raise refuse("unsupported", "The gateway passes on plain names of fields only")
    return params
