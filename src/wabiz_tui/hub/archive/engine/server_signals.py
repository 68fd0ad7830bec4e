"""LISTEN and NOTIFY: what the processes over one database tell each other."""

import selectors
import socket
from collections.abc import Callable, Sequence
from threading import Event
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from psycopg import sql

from wabiz_tui.hub.archive.engine.server_rows import Connection, Line
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, StoreError

_QUIET = 5.0
"""Seconds of silence after which the listening line is tried."""
_BETWEEN_TRIES = 0.25
_NOTIFY = "SELECT pg_notify(%s, text) FROM unnest(%s::text[]) WITH ORDINALITY AS texts (text, place) ORDER BY place"

log = structlog.get_logger("hub.bus")


class Channel(NamedTuple):
    """Where a tenant's processes are told; `sender` tells this process's own signals, which it heard already, from the others'."""

    name: str
    sender: str

    def tell(self, connection: Connection, told: Sequence[tuple[str, str]]) -> None:
        """With the transaction of the connection, or at once where it is in none."""
        connection.execute(_NOTIFY, (self.name, self.enveloped(told)))

    def enveloped(self, told: Sequence[tuple[str, str]]) -> list[str]:
        return [encode([self.sender, topic, text]).decode() for topic, text in told]


class ServerSignals:
    def __init__(self, teller: Line, listener: Line, channel: Channel) -> None:
        self._teller, self._listener, self._channel = teller, listener, channel
        self._is_stopped = Event()
        self._woken, self._waker = socket.socketpair()

    @property
    def is_shared(self) -> bool:
        return True

    def put(self, connection: sa.Connection, told: Sequence[tuple[str, str]]) -> None:
        connection.exec_driver_sql(_NOTIFY, (self._channel.name, self._channel.enveloped(told)))

    def send(self, told: Sequence[tuple[str, str]]) -> None:
        with self._teller.translated():
            self._channel.tell(self._teller.open(), told)

    def listen(self, hear: Callable[[str, str], object], missed: Callable[[], object]) -> None:
        is_told = False  # once an outage, however many tries it takes

        def begun() -> None:
            nonlocal is_told
            if is_told:
                log.info("listening")
            is_told = False
            missed()

        while not self._is_stopped.is_set():
            try:
                with self._listener.translated():
                    self._hear_out(hear, begun)
            except StoreError as error:
                if not is_told:
                    log.warning("not_listening", code=error.code)
                is_told = True
            self._listener.close()
            self._is_stopped.wait(_BETWEEN_TRIES)

    def stop(self) -> None:
        self._is_stopped.set()
        self._waker.send(b"x")

    def close(self) -> None:
        self._teller.close()
        self._listener.close()
        self._woken.close()
        self._waker.close()

    def _hear_out(self, hear: Callable[[str, str], object], missed: Callable[[], object]) -> None:
        """Hear the others until the line breaks or `stop`."""

        def take(payload: str) -> None:
            sender, topic, text = _opened(payload)
            if sender != self._channel.sender:
                hear(topic, text)

        connection = self._listener.open()
        # What comes while a statement runs, the driver hands over itself.
        connection.add_notify_handler(lambda notify: take(notify.payload))
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel.name)))
        missed()
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._is_stopped.is_set():
                if not selector.select(_QUIET):
                    connection.execute("SELECT 1")
                    continue
                connection.pgconn.consume_input()
                while (notify := connection.pgconn.notifies()) is not None:
                    take(notify.extra.decode())


def _opened(payload: str) -> tuple[str, str, str]:
    """Who said what about what; nothing at all where a stranger spoke on the channel."""
    try:
        return decode(payload, tuple[str, str, str])
    except BadInput:
        return "", "", ""
