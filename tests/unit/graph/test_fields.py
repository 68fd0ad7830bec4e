"""Every row of Meta's webhook reference: what each inbound type, status and field becomes, and that nothing of it is lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import webhook_samples as samples
from tests.support.graph_samples import METADATA, leaves, told, webhook
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, IncomingMessage, OtherEvent, StatusUpdate
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model import notices as n
from wabiz_tui.model.content import MetaError, Unsupported, kind_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = datetime.fromtimestamp(1790000000, UTC)
TEMPLATE = {"template": "1689556908129832", "name": "order_confirmation", "language": "en_US"}

# Of each inbound type: the kind of its content, whether it opens the window, whether it counts as unread, and some of its fields.
CONTENTS: dict[str, tuple[str, bool, bool, dict[str, Any]]] = {
    "text": ("text", True, True, {"body": "Olá 👍 https://x.example/a"}),
    "text longer than may be sent": ("text", True, True, {"body": "x" * 9000}),
    "image": ("image", True, True, {"id": "1003383421387256", "caption": "Taj Mahal", "link": ""}),
    "video": ("video", True, True, {"mime_type": "video/mp4", "caption": ""}),
    "document": ("document", True, True, {"filename": "bill.pdf", "caption": "May"}),
    "voice note": ("audio", True, True, {"voice": True, "mime_type": "audio/ogg; codecs=opus"}),
    "audio": ("audio", True, True, {"voice": False}),
    "animated sticker": ("sticker", True, True, {"animated": True}),
    "location": ("location", True, True, {"name": "Philz", "address": "101 Forest Ave", "url": "https://p.example/"}),
    "current position": ("location", True, True, {"latitude": -33.0, "longitude": 151.25, "name": ""}),
    "cards": ("contacts", True, True, {"origin": ""}),
    "card on request": ("contacts", True, True, {"origin": "contact_request"}),
    "card on request, told inside": ("contacts", True, True, {"origin": "contact_request"}),
    "reaction": ("reaction", True, False, {"message_id": "wamid.OURS", "emoji": "👍"}),
    "reaction taken back": ("reaction", True, False, {"emoji": ""}),
    "reaction taken back, empty": ("reaction", True, False, {"emoji": ""}),
    "button reply": ("interactive", True, True, {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}),
    "list reply": ("interactive", True, True, {"list_reply": {"id": "x", "title": "Express", "description": "Next day"}}),
    "flow reply": ("interactive", True, True, {"type": "nfm_reply"}),
    "address reply": ("interactive", True, True, {"nfm_reply": {"name": "address_message", "response_json": '{"values":{}}'}}),
    "call permission": ("interactive", True, True, {"type": "call_permission_reply"}),
    "interactive with errors": ("unsupported", True, True, {"type": "interactive"}),
    "quick reply": ("button", True, True, {"payload": "STOP", "text": "Stop promotions"}),
    "quick reply without context": ("button", True, True, {"payload": "p"}),
    "order": ("order", True, True, {"catalog_id": "194836987003835", "text": "Love these!"}),
    "identity changed": ("system", False, False, {"type": "customer_identity_changed"}),
    "unsupported": ("unsupported", True, True, {"type": "poll_creation"}),
    "unsupported without its type": ("unsupported", True, True, {"type": "unsupported"}),
    "unsupported in a group": ("unsupported", True, True, {}),
    "too large": ("unsupported", True, True, {}),
    "edit": ("edit", True, False, {"original_message_id": "wamid.OLD"}),
    "revoke": ("revoke", False, False, {"original_message_id": "wamid.OLD"}),
    "request welcome": ("request_welcome", True, False, {}),
    "ephemeral": ("unsupported", True, True, {"reason": "unknown type"}),
    "unknown": ("unsupported", True, True, {"type": "unknown"}),
    "of next year": ("unsupported", True, True, {"type": "hologram"}),
}

NOTICES: dict[str, tuple[n.Notice, ...]] = {
    "account error": (n.ServiceError(error=MetaError(130429, "Rate limit hit", "Rate limit hit", "slow down", "h")),),
    "history": (n.HistoryProgress(phase=1, chunk=2, progress=55),),
    "history refused": (n.ServiceError(error=MetaError(2593109, "refused", "History sharing is turned off")),),
    "phone book": (
        n.PhoneBookEntry(action="add", name="Pablo Morales", first_name="Pablo", phone="16505551234", at=AT),
        n.PhoneBookEntry(action="remove", user_id="US.4", username="@pm", at=AT + timedelta(seconds=1)),
    ),
    "template paused": (
        n.TemplateStatus(event="PAUSED", category="MARKETING", title="FIRST_PAUSE", description="Paused for 3 hours", **TEMPLATE),
    ),
    "template rejected": (n.TemplateStatus(event="REJECTED", reason="INVALID_FORMAT", recommendation="Add an example", **TEMPLATE),),
    "template disabled": (n.TemplateStatus(event="DISABLED", reason="ABUSIVE_CONTENT", disable_date="1790000000", **TEMPLATE),),
    "template quality": (n.TemplateQuality(quality="YELLOW", previous="GREEN", **TEMPLATE),),
    "template quality under the other field": (n.TemplateQuality(quality="RED", previous="GREEN", **TEMPLATE),),
    "template components": (
        n.TemplateComponents(
            title="Order",
            body="Hi {{1}}",
            footer="bye",
            buttons=({"message_template_button_type": "URL", "message_template_button_text": "See"},),
            **TEMPLATE,
        ),
    ),
    "template category announced": (
        n.TemplateCategory(category="UTILITY", upcoming="MARKETING", upcoming_at=datetime.fromtimestamp(1790086400, UTC), **TEMPLATE),
    ),
    "template category done": (n.TemplateCategory(category="MARKETING", previous="UTILITY", **TEMPLATE),),
    "template category detected": (n.TemplateCategory(category="UTILITY", upcoming="MARKETING", **TEMPLATE),),
    "account violation": (n.AccountUpdate(event="ACCOUNT_VIOLATION", violation="ADULT"),),
    "account restriction": (
        n.AccountUpdate(
            event="ACCOUNT_RESTRICTION",
            restrictions=(
                n.Restriction("RESTRICTED_BIZ_INITIATED_MESSAGING", datetime.fromtimestamp(1790086400, UTC)),
                n.Restriction("RESTRICTED_ADD_PHONE_NUMBER_ACTION"),
            ),
        ),
    ),
    "account banned": (n.AccountUpdate(event="DISABLED_UPDATE", ban_state="SCHEDULE_FOR_DISABLE", ban_date="April 17, 2025"),),
    "account country": (n.AccountUpdate(event="BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", country="GB"),),
    "account partner": (n.AccountUpdate(event="PARTNER_ADDED", waba={"waba_id": "1", "owner_business_id": "2"}),),
    "account deleted": (n.AccountUpdate(event="ACCOUNT_DELETED"),),
    "account alert": (
        n.AccountAlert(
            alert="OBA_REJECTED",
            severity="WARNING",
            status="ACTIVE",
            description="No",
            entity_type="PHONE_NUMBER",
            entity="506914307656634",
        ),
    ),
    "account review": (n.AccountReview(decision="APPROVED"),),
    "capability": (n.BusinessCapability(daily_limit="TIER_2K", max_numbers=25),),
    "capability without limit": (n.BusinessCapability(daily_limit="-1", max_numbers=20),),
    "capability, old form": (n.BusinessCapability(daily_limit="1000", max_numbers=2),),
    "number limit": (n.NumberLimit(event="ONBOARDING", display_number="15550000001", limit="TIER_250", previous="TIER_NOT_SET"),),
    "number flagged": (n.NumberLimit(event="FLAGGED", display_number="15550000001", limit="TIER_10K"),),
    "number name": (n.NumberName(decision="REJECTED", display_number="15550000001", name="Lucky Shrub", reason="NAME_EMPLOYEE_ISSUE"),),
    "security": (n.SecurityEvent(event="PIN_RESET_REQUEST", display_number="15550000001", requester="61555822107539"),),
    "preference stop": (
        n.Preference(
            value="stop",
            category="marketing_messages",
            detail="User requested to stop marketing messages",
            wa_id="5511900000001",
            user_id="BR.1000000000000000001",
            at=AT,
        ),
    ),
    "preference of a hidden phone": (
        n.Preference(value="signup", category="marketing_messages", detail="d", signup="s1", user_id="BR.5", at=AT),
    ),
    "business username": (n.BusinessUsername(status="approved", display_number="15550000001", username="lucky.shrub"),),
    "business username, other name": (n.BusinessUsername(status="deleted", display_number="15550000001"),),
    "flow status": (
        n.FlowEvent(
            event="FLOW_STATUS_CHANGE",
            flow="6627390910605886",
            message="Flow Webhook 1 changed status from DRAFT to PUBLISHED",
            previous="DRAFT",
            status="PUBLISHED",
        ),
    ),
    "flow endpoint": (n.FlowEvent(event="ENDPOINT_ERROR_RATE", flow="1"),),
    "call": (
        n.Call(
            call="wacid.ABC",
            event="connect",
            is_from_customer=True,
            wa_id="5511900000001",
            user_id="BR.1000000000000000001",
            at=AT + timedelta(seconds=200),
        ),
    ),
    "call ended": (
        n.Call(
            call="wacid.ABC",
            event="terminate",
            is_from_customer=True,
            result="COMPLETED",
            wa_id="5511900000001",
            user_id="BR.1000000000000000001",
            at=AT + timedelta(seconds=200),
            began_at=AT + timedelta(seconds=200),
            ended_at=AT + timedelta(seconds=260),
            seconds=60,
        ),
    ),
    "call of ours": (
        n.Call(
            call="wacid.OURS",
            event="RINGING",
            is_from_customer=False,
            wa_id="5511900000001",
            user_id="BR.1",
            at=AT + timedelta(seconds=200),
        ),
    ),
    # Only stored: their shapes are not settled, or nothing in the inbox needs them.
    **dict.fromkeys(
        ("user actions", "account settings", "user id update", "payment", "partner solution", "automatic event", "handover"), ()
    ),
    **dict.fromkeys(("standby", "tracking", "of next year"), ()),
}
GROUPS: dict[str, dict[str, Any]] = {
    "group created": {"event": "group_create", "group": "Y2FwaV9ncm91cDox", "request": "R1", "subject": "Club", "description": "Us"},
    "group not created": {"event": "group_create", "errors": (MetaError(131215, "Not eligible", "Not eligible"),)},
    "group joined": {
        "event": "group_participants_add",
        "participants": (n.Participant("5511900000001", "5511900000001"), n.Participant(user_id="BR.2", username="@b")),
    },
    "group left": {
        "event": "group_participants_remove",
        "initiated_by": "participant",
        "participants": (n.Participant(wa_id="5511900000001"),),
        "failed": (n.Participant("1", errors=(MetaError(131204),)),),
    },
    "group asked": {"event": "group_join_request_created", "request": "J1", "participants": (n.Participant(wa_id="5511900000001"),)},
    "group settings": {"event": "group_settings_update", "subject": ""},
    "group suspended": {"event": "group_suspend", "participants": ()},
}
READ_AS_MESSAGES = {"echo", "echo of a revoke", "echo of a partner", "history media", "history of a hidden phone"}


def only(raw: bytes) -> Any:
    (one,) = parse(raw, received_at=NOW)
    return one


@pytest.mark.parametrize("name", [name for name in samples.MESSAGES if name in CONTENTS])
def test_inbound_types(name: str) -> None:
    """Each inbound type becomes its content, from its sender, at its time, and says whether it opens the window and is unread."""
    kind, opens, unread, parts = CONTENTS[name]

    message = only(samples.message(name))

    assert isinstance(message, IncomingMessage)
    assert (kind_of(message.content), message.opens_window, message.counts_unread) == (kind, opens, unread)
    assert {key: getattr(message.content, key) for key in parts} == parts
    assert (message.wamid, message.number, message.sent_at) == ("wamid.IN", METADATA["phone_number_id"], AT)
    assert (message.sender.wa_id, message.sender.user_id) == ("5511900000001", "BR.1000000000000000001")
    assert (message.sender.name, message.sender.username) == ("Ana", "@ana.example")


def test_every_sample_is_looked_at() -> None:
    """The tables of this file name every sample there is."""
    beside = {"reply", "forwarded", "forwarded often", "about a product", "from an ad", "in a group"}
    assert set(samples.MESSAGES) == set(CONTENTS) | beside
    assert set(samples.FIELDS) == set(NOTICES) | set(GROUPS) | READ_AS_MESSAGES | {"account tier"}


def test_what_stands_around_a_message() -> None:
    """Replies, forwards, products, advertisements and groups are told apart."""
    read = {name: only(samples.message(name)) for name in samples.MESSAGES}

    assert (read["reply"].reply_to, read["reply"].context) == ("wamid.QUOTED", {"from": "15550000001"})
    assert (read["forwarded"].forwarded, read["forwarded"].reply_to) == ("once", None)
    assert (read["forwarded often"].forwarded, read["forwarded often"].reply_to) == ("often", None)
    assert read["about a product"].context["referred_product"]["product_retailer_id"] == "di9"
    assert (read["from an ad"].referral.source_id, read["from an ad"].referral.ctwa_clid) == (
        "120226305854810726",
        samples.MESSAGES["from an ad"]["referral"]["ctwa_clid"],
    )
    assert read["from an ad"].referral.other["welcome_message"] == {"text": "Hi there! Let us know how we can help!"}
    assert (read["in a group"].sender.group_id, read["in a group"].sender.wa_id) == ("Y2FwaV9ncm91cDox", "5511900000001")


def test_errors_of_what_is_unsupported() -> None:
    """The code tells why: unknown type, hidden from this number, too large, not in groups."""
    codes = {
        name: only(samples.message(name)).content.errors[0].code for name in samples.MESSAGES if name.startswith(("unsupp", "too", "inter"))
    }

    assert codes == {
        "interactive with errors": 131000,
        "unsupported": 131051,
        "unsupported without its type": 131060,
        "unsupported in a group": 130501,
        "too large": 131052,
    }


def test_changes_of_number_and_id() -> None:
    """A system message says who somebody was and is, in its old form too; it is nobody's message."""
    changes = {name: only(samples.change(name)) for name in samples.CHANGES}
    old = Identity(wa_id="5511900000001", user_id="BR.1000000000000000001")

    for change in changes.values():
        assert not change.opens_window
        assert not change.counts_unread
    assert changes["number changed"].identity_change.previous == old
    assert changes["number changed"].identity_change.current == Identity(wa_id="5511900000002")
    assert changes["id changed"].identity_change.previous == old
    assert changes["id changed"].identity_change.current == Identity(
        wa_id="5511900000002", user_id="BR.1000000000000000002", parent_user_id="BR.ENT.2"
    )
    assert changes["number changed, old form"].identity_change.current == Identity(wa_id="5511900000002")
    assert only(samples.message("identity changed")).identity_change.current.identity_key_hash == "Sfi1NTM="


@pytest.mark.parametrize("name", list(samples.STATUSES))
def test_statuses(name: str) -> None:
    """Each status keeps its state, time, person, price, conversation, error and our own mark."""
    parts = samples.STATUSES[name]

    update = only(samples.status(name))

    assert isinstance(update, StatusUpdate)
    assert (update.wamid, update.state, update.at) == ("wamid.OUT", parts.get("status", "sent"), AT + timedelta(seconds=60))
    assert (update.pricing, update.conversation) == (parts.get("pricing"), parts.get("conversation"))
    assert update.callback_data == parts.get("biz_opaque_callback_data")
    assert (update.error.code if update.error else None) == (parts["errors"][0]["code"] if "errors" in parts else None)
    if "group" in name:
        assert update.recipient.group_id == "Y2FwaV9ncm91cDox"
        assert (update.recipient.wa_id is not None) == ("recipient_participant_id" in parts or "participant_recipient_id" in parts)
    elif "parent" in name or "hidden" in name:
        assert update.recipient.parent_user_id == "BR.ENT.1"


def test_statuses_of_a_group_are_one_a_participant() -> None:
    """Of one message and one kind, each participant's is a fact of its own; a repeat is not."""
    one = {"id": "w", "status": "read", "timestamp": "1790000000", "recipient_id": "G", "recipient_type": "group"}
    told_ = [{**one, "recipient_participant_id": who} for who in ("1", "2", "1")] + [{**one, "recipient_participant_user_id": "US.3"}]

    updates = parse(webhook("messages", {"metadata": METADATA, "statuses": told_}))

    assert len({update.identity for update in updates if isinstance(update, StatusUpdate)}) == 3


@pytest.mark.parametrize("name", list(NOTICES))
def test_other_fields(name: str) -> None:
    """Each other field is an event that keeps its value whole and says what is known of it in typed words."""
    *messages, event = parse(samples.field(name), received_at=NOW)

    assert isinstance(event, OtherEvent)
    assert event.field == samples.FIELDS[name]["field"]
    assert event.notices == NOTICES[name]
    assert event.summary
    beside = {key: part for key, part in samples.FIELDS[name]["value"].items() if key != "metadata"}
    assert messages or told(event) >= leaves(beside)


@pytest.mark.parametrize("name", list(GROUPS))
def test_group_fields(name: str) -> None:
    """What becomes of a group, with the people it is about and what failed."""
    event = only(samples.field(name))
    (notice,) = event.notices

    assert isinstance(notice, n.GroupEvent)
    assert {key: getattr(notice, key) for key in GROUPS[name]} == GROUPS[name]
    assert notice.at == AT + timedelta(seconds=300)
    assert event.value["groups"] == samples.FIELDS[name]["value"]["groups"]
    if name == "group settings":
        assert notice.settings is not None
        assert {key: part["update_successful"] for key, part in notice.settings.items()} == {
            "group_subject": True,
            "profile_picture": False,
        }


def test_price_tier() -> None:
    """A volume tier is kept as Meta words it."""
    (notice,) = only(samples.field("account tier")).notices

    assert notice.volume_tier["tier"] == "25000:50000"


def test_what_staff_and_partners_sent() -> None:
    """Echoes are outgoing messages to their receiver, also when known by id alone; the field tells which kind."""
    echo, revoke, partner = (only(samples.field(name)) for name in ("echo", "echo of a revoke", "echo of a partner"))

    assert all(isinstance(one, EchoedMessage) for one in (echo, revoke, partner))
    assert (echo.recipient.wa_id, echo.recipient.name, echo.sender, echo.extra) == ("5511900000001", "Ana", "15550000001", None)
    assert (revoke.recipient, kind_of(revoke.content)) == (Identity(user_id="BR.9", parent_user_id="BR.ENT.9"), "revoke")
    assert partner.field == "message_echoes"


def test_history() -> None:
    """History tells who wrote what to whom and how far it had come, whether by number or by id; placeholders are kept as such."""
    theirs, ours, placeholder, _ = parse(samples.field("history"), received_at=NOW)
    hidden, _ = parse(samples.field("history of a hidden phone"), received_at=NOW)
    media = only(samples.field("history media"))

    assert isinstance(theirs, HistoryMessage)
    assert isinstance(ours, HistoryMessage)
    assert isinstance(placeholder, HistoryMessage)
    assert isinstance(hidden, HistoryMessage)
    assert (theirs.is_ours, theirs.status, ours.is_ours, ours.status) == (False, "READ", True, "DELIVERED")
    assert theirs.contact == ours.contact
    assert (theirs.contact.user_id, theirs.contact.username) == ("BR.1000000000000000001", "@ana.example")
    assert theirs.extra is None
    assert ours.extra is None
    assert isinstance(placeholder.content, Unsupported)
    assert (hidden.contact, hidden.is_ours) == (Identity(user_id="BR.7"), False)
    assert (kind_of(media.content), media.is_ours, media.contact.wa_id) == ("image", False, "5511900000001")


def test_user_actions_beside_messages() -> None:
    """What stands beside messages and statuses in one value is kept as an event of its own."""
    value = {"metadata": METADATA, **json.loads(samples.message("text"))["entry"][0]["changes"][0]["value"]}
    value |= {"user_actions": [{"action_type": "click"}], "errors": [{"code": 131035}]}

    message, error, rest = parse(webhook("messages", value), received_at=NOW)

    assert isinstance(message, IncomingMessage)
    assert isinstance(error, OtherEvent)
    assert error.notices == (n.ServiceError(error=MetaError(131035)),)
    assert isinstance(rest, OtherEvent)
    assert rest.value == {"user_actions": [{"action_type": "click"}]}


@pytest.mark.parametrize("field", sorted({sample["field"] for sample in samples.FIELDS.values()}))
@pytest.mark.parametrize(
    "junk", [{}, {"event": 7}, {"groups": [7, None, {}]}, {"calls": {"id": 1}}, {"user_preferences": [{}], "contacts": 3}]
)
def test_malformed_fields_are_kept(field: str, junk: dict[str, Any]) -> None:
    """A value that has not the form of its field is an event all the same, without notices of what is not there."""
    parsed = parse(webhook(field, {"metadata": METADATA, **junk}), received_at=NOW)

    assert told(parsed) >= leaves(junk)
    assert all(isinstance(one, OtherEvent) for one in parsed)


def test_times_as_text_number_and_absurdity() -> None:
    """Notices read times in every spelling, and an absurd one is none."""
    for stamp, at in (("1790000000", AT), (1790000000, AT), (1790000000000, AT), ("x", None), (10**30, None), (-5, None)):
        raw = webhook("user_preferences", {"user_preferences": [{"wa_id": "1", "value": "stop", "timestamp": stamp}]})
        (notice,) = only(raw).notices
        assert notice.at == at
