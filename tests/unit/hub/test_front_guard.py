"""A real hub process against clients that are slow, greedy or many: each is answered or cut, and Meta's post beside them is served."""

import itertools
import socket
import time
from collections.abc import Generator

import pytest

from tests.support.front_hub import FrontHub, answer_of, drip, front_hub, post, webhook, whole

GOOD = b"HTTP/1.1 200 OK"
SLACK = 60.0
"""Seconds that a machine under load may take for what takes one."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Generator[FrontHub]:
    """Bounds of a second each."""
    with front_hub(tmp_path_factory.mktemp("guarded") / "home") as running:
        yield running


@pytest.fixture(autouse=True)
def and_the_next_is_served(hub: FrontHub) -> Generator[None]:
    """Whatever a client did, a good webhook after it gets 200."""
    yield
    with hub.line() as line:
        line.sendall(webhook())
        assert answer_of(line).startswith(GOOD)


def test_a_header_that_drips_is_cut(hub: FrontHub) -> None:
    """Headers sent byte by byte get 408 when their time is over, though a byte comes all the time."""
    with hub.line() as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        told = drip(line, itertools.repeat(b"a", 1000))
    assert told.startswith(b"HTTP/1.1 408 ")
    assert 0.9 < time.monotonic() - began < SLACK


def test_a_second_header_of_a_line_that_drips_is_cut(hub: FrontHub) -> None:
    """The bound holds for every request of a line, and for a line that sends nothing but line ends."""
    for start in (b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"\r\n"):
        with hub.line() as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_of(line).startswith(GOOD)
            assert line.recv(3) == b"ok\n"
            line.sendall(start)
            assert drip(line, itertools.repeat(b"\r\n" if start == b"\r\n" else b"a", 1000)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/webhooks/whatsapp", "/v1/token", "/v26.0/1/messages", "/v1/nothing"])
def test_a_body_that_drips_is_cut(hub: FrontHub, path: str) -> None:
    """A body sent byte by byte gets 408, or the refusal its headers earned, in seconds and whatever the route."""
    with hub.line() as line:
        line.sendall(post(path, b"")[:-2].replace(b"Content-Length: 0", b"Content-Length: 5000") + b"\r\n")
        told = drip(line, itertools.repeat(b"a", 3000))
    assert told[9:12] in (b"408", b"401", b"404")


def test_a_silent_line_is_closed(hub: FrontHub) -> None:
    """A line that never says a word is closed without one."""
    with hub.line() as line:
        assert whole(line) == b""


def test_a_half_closed_line_ends(hub: FrontHub) -> None:
    """A client that closed its side before its request was whole is not waited for."""
    with hub.line() as line:
        line.sendall(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        line.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        whole(line)
    assert time.monotonic() - began < SLACK


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"X-Huge: " + b"a" * 40_000 + b"\r\n", b"431"),
        (b"X-Huge: " + b"a" * 3_000_000 + b"\r\n", b"431"),
        (b"".join(b"X-%d: a\r\n" % number for number in range(150)), b"431"),
        (b"X-Bad\x00: a\r\n", b"400"),
    ],
)
def test_huge_headers_are_refused(hub: FrontHub, head: bytes, status: bytes) -> None:
    """Headers above their bounds, in size or in number, get 431; what is no header gets 400."""
    with hub.line() as line:
        told = drip(
            line,
            iter([b"GET /healthz HTTP/1.1\r\nHost: x\r\n", *(head[at : at + 60_000] for at in range(0, len(head), 60_000)), b"\r\n"]),
            every=0.01,
        )
    assert told[9:12] == status


def test_a_long_address_is_refused(hub: FrontHub) -> None:
    """An address above 8 KiB gets 414."""
    assert hub.ask(b"GET /v1/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")[9:12] == b"414"


def chunks(size: int, count: int) -> Generator[bytes]:
    for _ in range(count):
        yield b"%x\r\n" % size + b"a" * size + b"\r\n"


@pytest.mark.parametrize(
    ("path", "shape"), [("/v1/token", b'"code":"too_large"'), ("/webhooks/whatsapp", b""), ("/v1/enroll", b'"code":"too_large"')]
)
def test_an_endless_chunked_body_is_refused(hub: FrontHub, path: str, shape: bytes) -> None:
    """A chunked body without an end gets 413 once it is too large."""
    with hub.line() as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        line.settimeout(30)
        told = b""
        try:
            for chunk in chunks(60_000, 200):
                line.sendall(chunk)
        except ConnectionError:
            pass
        told = whole(line)
    assert told[9:12] == b"413"
    assert shape in told


@pytest.mark.parametrize(
    ("path", "shape"),
    [(b"/v26.0/1/messages", b'"wabiz_code":"header_too_large"'), (b"/v1/people?since=1", b'"code":"header_too_large"')],
)
def test_refused_headers_are_answered_in_the_shape_of_their_path(hub: FrontHub, path: bytes, shape: bytes) -> None:
    """The path stands before the headers, so clients read a refusal of these as they read any other."""
    told = hub.ask(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"a" * 40_000 + b"\r\n\r\n")
    assert told[9:12] == b"431"
    assert shape in told


def test_chunks_that_are_mostly_wrapping_are_refused(hub: FrontHub) -> None:
    """Chunk extensions count: a body may not be hidden in what stands around it."""
    with hub.line() as line:
        line.sendall(b"POST /v1/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;x=")
        assert drip(line, itertools.repeat(b"y" * 30_000, 1000), every=0.005)[9:12] in (b"400", b"408", b"431")


def test_a_declared_size_is_refused_before_it_is_read(hub: FrontHub) -> None:
    """A Content-Length above the bound gets 413 with nothing of the body sent, in the shape of its path."""
    for path, shape in (("/v1/token", b'"code":"too_large"'), ("/v26.0/1/messages", b'"wabiz_code":"too_large"')):
        with hub.line() as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n".encode())
            head = answer_of(line)
            assert head.startswith(b"HTTP/1.1 413 ")
            assert shape in whole(line)


def test_pipelined_requests_are_answered_in_order(hub: FrontHub) -> None:
    """Sixty requests in one piece get sixty answers, webhooks among them."""
    asked = (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 30 + webhook() * 29 + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert hub.ask(asked).count(GOOD) == 60


def test_a_request_behind_a_refused_one_is_not_carried_out(hub: FrontHub) -> None:
    """What stands behind a refused request on the same line is thrown away with it."""
    told = hub.ask(b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert told.count(b"HTTP/1.1 ") == 1
    assert told[9:12] == b"413"


def test_trailers_change_no_header(hub: FrontHub) -> None:
    """A header sent after the body is no header of the request: a signature that comes there signs nothing."""
    good = webhook()
    head, _, body = good.partition(b"\r\n\r\n")
    signature = next(line for line in head.split(b"\r\n") if line.startswith(b"X-Hub"))
    asked = b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    asked += b"%x\r\n" % len(body) + body + b"\r\n0\r\n" + signature + b"\r\n\r\n"
    assert hub.ask(asked)[9:12] == b"401"


def ask_without_reading(line: socket.socket, *, within: float) -> None:
    """Raises ConnectionError when the hub ends the line."""
    asked, began = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50, time.monotonic()
    while time.monotonic() - began < within:
        try:
            line.sendall(asked)
        except TimeoutError:
            line.send(b"\r\n")  # the kernel's room is full: only the end of the line can be told


def test_a_client_that_never_reads_is_cut(hub: FrontHub) -> None:
    """A client that asks on and on without reading loses its line; what it would have had is not kept for it."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(hub.address)
        line.settimeout(1)
        with pytest.raises(ConnectionError):
            ask_without_reading(line, within=60)
