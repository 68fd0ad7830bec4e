"""Commands that read the cache: conversations, messages, events, search."""

import sys
from typing import Any

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import conversation_record, message_record, print_json, print_table
from wabiz_tui.cli.session import with_desk
from wabiz_tui.cli.streams import words_given
from wabiz_tui.model.content import kind_of, plain_text
from wabiz_tui.model.desk import Desk, SearchHit
from wabiz_tui.model.errors import Unreachable, UsageError
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.values import Message

_MOST_BYTES = 16 * 1024


def conversation_id(text: str) -> str:
    """An id as typed: 32 hexadecimal digits. Raises UsageError."""
    wanted = text.strip().lower()
    if not is_id(wanted):
        raise UsageError("A conversation is named by its 32 hexadecimal digits; `wabiz conversations` lists them.")
    return wanted


@click.command()
@json_option
@passphrase_option
def conversations(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the conversations this machine holds, newest activity first."""
    rows = with_desk(passphrase_fd, lambda desk: desk.conversations())
    if as_json:
        print_json(conversation_record(row) for row in rows)
        return
    print_table(
        ("conversation", "name", "status", "unread", "last", "window until"),
        ((row.id, row.name, row.status, row.unread or "", row.last_at, row.window_until) for row in rows),
        empty="This machine holds no conversation.",
        minor=("window until", "status", "unread"),
    )


@click.command()
@click.argument("conversation")
@json_option
@passphrase_option
def messages(conversation: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Print the messages of CONVERSATION in the order of their time; those older than the cache come from the hub.

    Exit codes: 4 when the hub cannot be reached and this machine holds none of them.
    """
    wanted = conversation_id(conversation)
    rows = with_desk(passphrase_fd, lambda desk: _messages(desk, wanted))
    if as_json:
        print_json(message_record(row) for row in rows)
        return
    print_table(
        ("sent", "from", "kind", "text", "delivery", "message"),
        (
            (
                row.sent_at,
                row.author_name or row.direction,
                kind_of(row.content),
                plain_text(row.content),
                row.delivery.state if row.delivery else "",
                row.id,
            )
            for row in rows
        ),
        empty="This machine holds no message of that conversation.",
        minor=("message", "kind"),
    )


async def _messages(desk: Desk, conversation: str) -> list[Message]:
    try:
        return await desk.messages(conversation, whole=True)
    except Unreachable as error:
        rows = await desk.messages(conversation)
        if not rows and (await desk.conversation(conversation)).last_at is not None:
            raise Unreachable(
                f"The messages of this conversation are at the hub alone, and could not be fetched. {error.sentence}"
            ) from error
        if rows:
            print("wabiz: The hub does not answer: messages older than these could not be fetched.", file=sys.stderr)
        return rows


@click.command()
@json_option
@passphrase_option
def events(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the webhooks that are neither messages nor statuses: groups, templates, account, calls …"""
    rows = with_desk(passphrase_fd, lambda desk: desk.events())
    if as_json:
        print_json(rows)
        return
    print_table(("at", "field", "summary"), ((row.at, row.field, row.summary) for row in rows), empty="No events.")


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--ranked", is_flag=True, help="The best first, where no more than 5 000 messages match.")
@json_option
@passphrase_option
def search(words: tuple[str, ...], *, limit: int, ranked: bool, as_json: bool, passphrase_fd: int | None) -> None:
    """Find WORDS in what this machine holds: conversations by name, then messages, newest first.

    Words may be "phrases" (the shell needs '"so"') and filters: from:anna, to:anna, label:vip, before:2026-05-01, after:7d, has:media,
    is:unread, is:open. All must hold; the last word may be a beginning. A single - reads them from standard input, which no other
    user of the machine can read.
    """
    wanted = words_given(" ".join(words), most_bytes=_MOST_BYTES)
    hits = with_desk(passphrase_fd, lambda desk: desk.search(wanted, limit=limit, ranked=ranked))
    if as_json:
        print_json(_hit_record(hit) for hit in hits)
        return
    print_table(("at", "conversation", "name", "text"), (_hit_row(hit) for hit in hits), empty="Nothing found.", minor=("at",))


def _hit_record(hit: SearchHit) -> dict[str, Any]:
    """A message as `wabiz messages` prints it, or a conversation as `wabiz conversations` does, with `found` to tell them apart."""
    if hit.message is not None:
        return message_record(hit.message) | {"name": hit.conversation_name, "found": "message"}
    assert hit.conversation is not None  # noqa: S101 one of the two is there
    return conversation_record(hit.conversation) | {"conversation": hit.place, "found": "conversation"}


def _hit_row(hit: SearchHit) -> tuple[object, ...]:
    if hit.message is not None:
        return hit.message.sent_at, hit.place, hit.conversation_name, plain_text(hit.message.content)
    return hit.conversation and hit.conversation.last_at, hit.place, hit.conversation_name, "(conversation)"
