"""Still data in every state: conversations, contacts and messages as a desk would hold them at one fixed instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from wabiz_tui.model.content import (
    Activity,
    Audio,
    Button,
    ContactCards,
    Content,
    Document,
    Image,
    Interactive,
    Location,
    MetaError,
    Note,
    Order,
    Sticker,
    System,
    Template,
    Text,
    Unsupported,
    Video,
)
from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.values import Contact, Conversation, Delivery, DeliveryState, Direction, Message, Referral

NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
ME = "f" * 32
KIM = "e" * 32


def identity(number: int) -> str:
    return f"{number:032x}"


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def status(**changes: Any) -> DeskStatus:
    """A desk at work: online, a policy, a lease, a purge ahead."""
    still = DeskStatus(
        link="online",
        locked=False,
        lease_until=NOW + timedelta(hours=7, minutes=12),
        policy=3,
        policy_name="UK support",
        epoch=4,
        messages=1204,
        conversations=14,
        next_purge=NOW + timedelta(minutes=14),
        key_store="keyring",
        head=2000,
        cursor=2000,
        person=ME,
        person_name="Ana Lima",
        role="agent",
        business="Northwind Parcels",
        shift="until 17:30",
        lock_after=300,
    )
    return msgspec.structs.replace(still, **changes)


def _row(number: int, name: str, preview: str, **fields: Any) -> Conversation:
    return Conversation(
        id=identity(number),
        number="106540352242922",
        contact=identity(number + 1000),
        name=name,
        preview=preview,
        preview_kind=fields.pop("preview_kind", "text"),
        preview_direction=fields.pop("preview_direction", Direction.INCOMING),
        **fields,
    )


def conversations() -> list[Conversation]:
    """The queue of one afternoon, newest first."""
    open_until = timedelta
    out = Direction.OUTGOING
    return [
        _row(1, "Priya Raman", "Hello, where is my parcel? It said Tuesday and nobody rang.", unread=2, last_at=ago(minutes=2),
             window_until=NOW + open_until(hours=23, minutes=58), assignee=ME, assignee_name="Ana Lima", priority="urgent",
             due_at=NOW + timedelta(minutes=12)),
        _row(2, "Tomás Souza", "Refund issued, it takes three to five days.", last_at=ago(minutes=9), preview_direction=out,
             preview_delivery=DeliveryState.READ, window_until=NOW + timedelta(hours=21), assignee=ME, assignee_name="Ana Lima"),
        _row(3, "王美玲", "你好，我的包裹什么时候到？", unread=1, last_at=ago(minutes=14), window_until=NOW + timedelta(minutes=47)),
        _row(4, "Fatima Al-Sayed", "شكرا جزيلا على المساعدة", unread=3, last_at=ago(minutes=21), window_until=NOW + timedelta(hours=19),
             assignee=KIM, assignee_name="Kim Osei", labels=("complaint",)),
        _row(5, "+44 •••• ••12", "", preview_kind="image", unread=12, last_at=ago(minutes=40), window_until=NOW + timedelta(hours=23)),
        _row(6, "Jürgen Weiß", "", preview_kind="audio", last_at=ago(hours=1, minutes=5), window_until=NOW + timedelta(hours=22),
             assignee=KIM, assignee_name="Kim Osei"),
        _row(7, "Chidi Okafor 👨‍👩‍👧", "Will be there at 6 🚚👍🏽", last_at=ago(hours=2), preview_direction=out,
             preview_delivery=DeliveryState.DELIVERED, window_until=NOW + timedelta(hours=5), assignee=ME, assignee_name="Ana Lima"),
        _row(8, "अनन्या शर्मा", "नमस्ते, क्या आप मेरी मदद कर सकते हैं?", unread=1, last_at=ago(hours=3), window_until=NOW + timedelta(hours=20),
             held=True, labels=("refund",)),
        _row(9, "Grace O’Neill", "The second box was damaged, see photos.", last_at=ago(hours=5), window_until=NOW + timedelta(hours=18),
             status="pending", assignee=ME, assignee_name="Ana Lima"),
        _row(10, "Lars Nyström", "Your collection point has changed.", last_at=ago(hours=7), preview_direction=out,
             preview_delivery=DeliveryState.FAILED, window_until=ago(hours=2)),
        _row(11, "Mr \x1b[31mRed\x1b[0m [b]Bold[/b]", "click [@click=app.quit]here[/] \u202efdp.exe\u200b", unread=1, last_at=ago(hours=9),
             window_until=NOW + timedelta(hours=14)),
        _row(12, "Olivia Brandt", "Thank you, all sorted!", last_at=ago(days=1, hours=2), window_until=ago(hours=2), assignee=KIM,
             assignee_name="Kim Osei"),
        _row(13, "Hassan Demir", "Ok", last_at=ago(days=2), window_until=ago(days=1), status="snoozed",
             snoozed_until=NOW + timedelta(hours=17, minutes=30), assignee=ME, assignee_name="Ana Lima"),
        _row(14, "Sofia Marino", "Resolved on the phone.", last_at=ago(days=3), window_until=ago(days=2), status="resolved",
             resolved_at=ago(days=3), preview_direction=out, preview_delivery=DeliveryState.SENT),
    ]  # fmt: skip


def contact_of(conversation: Conversation) -> Contact:
    return Contact(
        id=conversation.contact,
        name=conversation.name,
        phone="+44 •••• ••6712",
        username="priya.r" if conversation.id == identity(1) else None,
        country="GB",
        is_masked=True,
        created_at=ago(days=90),
    )


class Thread:
    """Builds the messages of one conversation in rising time, one minute apart unless said otherwise."""

    def __init__(self, conversation: str, begun: datetime) -> None:
        self.conversation, self.at, self.messages = conversation, begun, list[Message]()

    def say(self, direction: Direction, content: Content, *, after: timedelta = timedelta(minutes=1), **fields: Any) -> str:
        self.at += after
        number = len(self.messages) + 1
        wamid = f"wamid.{self.conversation[-4:]}.{number}"
        if direction is Direction.OUTGOING:
            fields.setdefault("origin", "wabiz")
            fields.setdefault("author", ME)
            fields.setdefault("author_name", "Ana Lima")
        identifier = f"{int(self.conversation, 16):08x}{number:024x}"
        self.messages.append(
            Message(
                id=identifier, conversation=self.conversation, direction=direction, content=content, sent_at=self.at, wamid=wamid, **fields
            )
        )
        return wamid


def delivery(state: str, **fields: Any) -> Delivery:
    return Delivery(state=DeliveryState(state), at={state: ago(minutes=5)}, **fields)


def parcel_thread(conversation: str = identity(1)) -> list[Message]:
    """An ordinary talk over two days with every delivery state."""
    thread = Thread(conversation, ago(days=1, hours=5))
    incoming, outgoing = Direction.INCOMING, Direction.OUTGOING
    asked = thread.say(incoming, Text("Hi! I ordered two boxes last week, number NW-20418."), reactions={ME: "👍"})
    thread.say(incoming, Text("Can you tell me when they come?"))
    thread.say(
        outgoing,
        Text("Good morning Priya, thank you for asking. Both boxes left Leeds this morning and should be with you on Tuesday."),
        after=timedelta(minutes=4),
        delivery=delivery("read"),
        reply_to=asked,
    )
    thread.say(incoming, Text("Perfect, thank you 🙏"), after=timedelta(minutes=2))
    thread.say(Direction.ACTIVITY, Activity(verb="resolved", by="Ana Lima"), after=timedelta(minutes=1))
    thread.at = ago(minutes=44)
    thread.say(Direction.ACTIVITY, Activity(verb="reopened"))
    thread.say(incoming, Image(id="1", mime_type="image/jpeg", size=218_000, caption="This is the card your driver left.", stored="stored"))
    thread.say(
        outgoing,
        Text("I am sorry about that. One moment, I am asking the depot."),
        after=timedelta(minutes=3),
        delivery=delivery("delivered"),
    )
    thread.say(Direction.NOTE, Note("Depot says the van broke down. Offer Saturday morning."), author=KIM, author_name="Kim Osei")
    thread.say(
        outgoing, Text("We can bring it on Saturday before noon. Would that do?"), after=timedelta(minutes=6), delivery=delivery("sent")
    )
    thread.at = ago(minutes=4)
    thread.say(incoming, Text("Hello, where is my parcel?"))
    thread.say(incoming, Text("It said Tuesday and nobody rang. See https://parcels.example/track?n=NW-20418"))
    return thread.messages


def every_kind(conversation: str = identity(2)) -> list[Message]:
    """One message of every kind, in and out, with each way a message can end."""
    thread = Thread(conversation, ago(hours=3))
    incoming, outgoing = Direction.INCOMING, Direction.OUTGOING
    referral = Referral(source_url="https://ads.example/1", source_type="ad", headline="Free delivery in May", body="Order now")
    thread.say(incoming, Text("Is the offer still on?"), referral=referral)
    thread.say(incoming, Video(id="2", mime_type="video/mp4", size=4_410_000, caption="Unboxing", stored="pending"))
    thread.say(incoming, Audio(id="3", mime_type="audio/ogg", voice=True, size=31_000, stored="stored"))
    thread.say(
        incoming,
        Document(id="4", mime_type="application/pdf", filename="Invoice-2026-11-with-a-rather-long-name.pdf", size=91_200, stored="failed"),
    )
    thread.say(incoming, Sticker(id="5", mime_type="image/webp", animated=True, stored="expired"))
    thread.say(incoming, Location(latitude=51.50735, longitude=-0.12776, name="Northwind Depot", address="1 Quay Rd, London"))
    thread.say(
        incoming, ContactCards(({"name": {"formatted_name": "Dr Ruth Adeyemi"}, "phones": [{"phone": "+447700900123", "type": "WORK"}]},))
    )
    thread.say(incoming, Interactive(type="button_reply", button_reply={"id": "y", "title": "Yes, please"}))
    thread.say(
        incoming, Interactive(type="list_reply", list_reply={"id": "am", "title": "Saturday morning", "description": "8:00 to 12:00"})
    )
    thread.say(
        incoming,
        Interactive(type="nfm_reply", nfm_reply={"name": "flow", "body": "Sent", "response_json": '{"postcode": "N1 9GU", "floor": "3"}'}),
    )
    thread.say(incoming, Button(text="Track my parcel", payload="TRACK"))
    thread.say(
        incoming,
        Order(
            catalog_id="1",
            text="For Friday please",
            product_items=(
                {"product_retailer_id": "box-small", "quantity": 2, "item_price": 9.5, "currency": "GBP"},
                {"product_retailer_id": "tape", "quantity": 10, "item_price": 1.25, "currency": "GBP"},
            ),
        ),
    )
    thread.say(incoming, System(type="user_changed_number", body="Tomás changed his number", wa_id="447700900999"))
    thread.say(
        incoming,
        Unsupported(type="poll", errors=(MetaError(code=131051, title="Message type unknown", details="Polls are not supported."),)),
    )
    thread.say(incoming, Text("See you at six"), forwarded="often", edited_at=ago(minutes=100))
    thread.say(incoming, Text("please forget that"), revoked_at=ago(minutes=90))
    thread.say(
        outgoing,
        Template(
            name="order_update",
            language={"code": "en_GB"},
            components=({"type": "body", "parameters": [{"type": "text", "text": "NW-20418"}, {"type": "text", "text": "Saturday"}]},),
        ),
        delivery=delivery("read"),
    )
    thread.say(
        outgoing,
        Interactive(
            type="button",
            body={"text": "Which day suits you?"},
            action={
                "buttons": [
                    {"type": "reply", "reply": {"id": "1", "title": "Friday"}},
                    {"type": "reply", "reply": {"id": "2", "title": "Saturday"}},
                ]
            },
        ),
        delivery=delivery("accepted"),
    )
    thread.say(
        outgoing, Text("Saturday it is, then."), delivery=delivery("failed", error=MetaError(code=131026, title="Message undeliverable"))
    )
    thread.say(outgoing, Text("Did this one reach you?"), delivery=delivery("uncertain"), author=KIM, author_name="Kim Osei")
    thread.say(outgoing, Text("Refund issued, it takes three to five days."), delivery=delivery("queued"))
    return thread.messages


def hostile_thread(conversation: str = identity(11)) -> list[Message]:
    """What an attacker would send."""
    thread = Thread(conversation, ago(minutes=30))
    for body in (
        "\x1b[2J\x1b[31mred\x1b]0;owned\x07 and \x9b31m",
        "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;aGVsbG8=\x07",
        "invoice\u202efdp.exe \u2066isolate\u2069 pay\u200bpal",
        "[b]bold[/b] [@click=app.quit]quit[/] [/closing] :smile: [link=https://x]",
        "Z" + "".join(chr(0x300 + n) for n in range(40)) + "algo",
        "\r\n\r\nlone\rreturn\x00\x07\x08\x0b\x0c",
        "🇬🇧 🇬 👩‍👧‍👦 👍🏽 नमस्ते مرحبا 你好 x\u200dy",
        "A" * 3000,
    ):
        thread.say(Direction.INCOMING, Text(body))
    thread.say(
        Direction.INCOMING, Document(id="9", filename="../../\u202egpj.exe\n", mime_type="image/jpeg\x1b[m", caption="\x1b[7mcaption")
    )
    thread.say(Direction.INCOMING, Unsupported(type="\x1b[1mx", reason="\u202ereason"))
    return thread.messages


def long_thread(conversation: str, count: int) -> list[Message]:
    thread = Thread(conversation, NOW - timedelta(minutes=count + 1))
    for number in range(count):
        if number % 3:
            thread.say(Direction.INCOMING, Text(f"Message {number}: the box has not come yet."))
        else:
            thread.say(Direction.OUTGOING, Text(f"Message {number}: we are looking into it."), delivery=delivery("read"))
    return thread.messages


def many_conversations(count: int) -> list[Conversation]:
    return [
        _row(
            10_000 + number,
            f"Customer {number:05d}",
            f"Message about order NW-{number * 7919 % 100_000:05d}, has it left yet?",
            unread=number % 4,
            last_at=NOW - timedelta(minutes=number),
            window_until=NOW + timedelta(minutes=1440 - number % 3000),
            assignee=(ME, KIM, None)[number % 3],
            assignee_name=("Ana Lima", "Kim Osei", "")[number % 3],
        )
        for number in range(count)
    ]
