"""The hub as a server: TLS of its own, many idle lines, places kept apart, and a graceful end."""

import contextlib
import datetime
import http.client
import json
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.front_hub import FrontHub, answer_of, end, front_hub, init_hub, webhook, whole
from tests.support.hub_archive import HandClock
from wabiz_tui.hub.front.addresses import Trust, parse_network
from wabiz_tui.hub.front.bounds import Bounds
from wabiz_tui.hub.front.files import room_for_lines
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.front.refusals import BUSY, FULL, NO_TLS, STREAMS_FULL, TOO_MANY_LINES, WEBHOOKS_BUSY
from wabiz_tui.hub.front.tls import Certificate
from wabiz_tui.hub.operations.serve import serve
from wabiz_tui.hub.operations.settings import load_settings
from wabiz_tui.model.errors import DocumentError, UsageError

GOOD = b"HTTP/1.1 200 OK"


class FakeLine:
    def __init__(self, peer: str = "198.51.100.1", *, is_arriving: bool = False) -> None:
        self.peer, self.is_arriving, self.is_ended = peer, is_arriving, False

    def look(self, now: float) -> None: ...

    def end(self) -> None:
        self.is_ended = True


def guard_of(*, proxies: tuple[str, ...] = (), refused: list[str] | None = None, **bounds: int) -> Guard:
    told: list[str] = [] if refused is None else refused
    trust = Trust([parse_network(one) for one in proxies])
    return Guard(Bounds(**bounds), trust, refused=told.append, monotonic=HandClock().monotonic)


def test_webhooks_streams_and_requests_have_places_of_their_own() -> None:
    """When all places of one kind are taken the others are free, and each is refused by its own name until one ends."""
    guard = guard_of(requests=4, webhooks=4, streams=1)
    line = FakeLine()
    assert [guard.begin(line, number, "request") for number in range(5)] == [None] * 4 + [BUSY]
    assert [guard.begin(line, number, "webhook") for number in range(5)] == [None] * 4 + [WEBHOOKS_BUSY]
    assert [guard.begin(line, number, "stream") for number in range(2)] == [None, STREAMS_FULL]
    assert guard.begin(line, 9, "watch") is None
    guard.finish(line, 0, "webhook", is_last=True)
    assert guard.begin(line, 9, "webhook") is None
    assert (BUSY.status, BUSY.retry_after, WEBHOOKS_BUSY.status) == (503, 1, 503)


def test_the_line_that_waited_longest_makes_room() -> None:
    """Above the bound the oldest line without a request at work is closed; where all are at work the new one is refused."""
    guard = guard_of(connections=16)
    lines = [FakeLine() for _ in range(16)]
    assert [guard.opened(line, is_plain=False) for line in lines] == [None] * 16
    for number, line in enumerate(lines[:2]):
        guard.begin(line, number, "request")
    assert guard.opened(FakeLine(), is_plain=False) is None
    assert [line.is_ended for line in lines[:4]] == [False, False, True, False]
    full = guard_of(connections=16)
    for number in range(16):
        line = FakeLine()
        assert full.opened(line, is_plain=False) is None
        full.begin(line, number, "request")
    assert full.opened(FakeLine(), is_plain=False) == FULL


def test_an_address_has_its_share_and_plain_lines_come_from_near() -> None:
    """Lines are counted by address, IPv6 by /64, but for trusted proxies; without TLS nobody else is let in at all."""
    guard = guard_of(proxies=("10.0.0.0/8",), connections_per_address=2)
    far = [FakeLine("2001:db8::1"), FakeLine("2001:db8::2"), FakeLine("2001:db8::3")]
    assert [guard.opened(line, is_plain=False) for line in far] == [None, None, TOO_MANY_LINES]
    guard.closed(far[0])
    guard.closed(far[2])
    assert guard.opened(FakeLine("2001:db8::4"), is_plain=False) is None
    assert {guard.opened(FakeLine("10.1.1.1"), is_plain=True) for _ in range(5)} == {None}
    assert guard.opened(FakeLine("198.51.100.1"), is_plain=True) == NO_TLS
    assert guard.opened(FakeLine("127.0.0.1"), is_plain=True) is None


def test_large_bodies_share_a_bound() -> None:
    """When bodies on their way take too much memory the one that began first gives up; what came whole does not."""
    guard = guard_of(arriving_bytes=8 * 1024 * 1024)
    done, first, second = FakeLine(), FakeLine(is_arriving=True), FakeLine(is_arriving=True)
    for line in (done, first, second):
        assert guard.arriving(line, 2 * 1024 * 1024) is None
    assert guard.arriving(second, 4 * 1024 * 1024) is first
    guard.arrived(first)
    guard.arrived(done)
    assert guard.figures.arriving_bytes == 6 * 1024 * 1024


def test_wrong_bounds_and_proxies_are_refused_by_name(tmp_path: Path) -> None:
    """[limits] and [server] are checked with file, line and key."""
    for more, words in (
        ("[limits]\nconnections = 1\n", r"limits\.connections.*16 or more"),
        ("[limits]\nconections = 100\n", r"'connections'"),
        ('[server]\ntrusted_proxies = ["ten"]\n', r"network such as"),
        ('[server]\ntls_key = "x"\n', r"tls_cert"),
        ('[server]\npublic_url = "hub.example"\n', r"https://"),
    ):
        home = tmp_path / str(len(list(tmp_path.iterdir())))
        init_hub(home, more=more)
        with pytest.raises(DocumentError, match=words):
            load_settings(home / "hub.toml")


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(day).not_valid_after(day.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.touch(mode=0o600)
    key_file.write_bytes(private)
    return cert_file, key_file


def shown_name(hub: FrontHub) -> str:
    """The name in the certificate that the hub shows."""
    from cryptography import x509

    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(hub.address, timeout=60) as line, tls.wrap_socket(line) as over:
        raw = over.getpeercert(binary_form=True)
    assert raw is not None
    return str(x509.load_der_x509_certificate(raw).subject.rdns[0].rfc4514_string())


def test_tls_of_the_hubs_own(tmp_path: Path) -> None:
    """https with the files of hub.toml, a silent handshake cut, a new certificate after SIGHUP, and a bad one not."""
    cert, key = make_certificate(tmp_path, "first")
    more = f'[limits]\nheader_seconds = 1\n[server]\ntls_cert = "{cert}"\ntls_key = "{key}"\npublic_url = "https://hub.example"\n'
    with front_hub(tmp_path / "home", more=more) as hub:
        assert hub.url.startswith("https://127.0.0.1:")
        assert shown_name(hub) == "CN=first"
        with hub.line() as silent, hub.line() as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not whole(plain).startswith(b"HTTP")
            assert whole(silent) == b""
        tls = ssl.create_default_context(cafile=str(cert))
        asked = http.client.HTTPSConnection("localhost", hub.address[1], context=tls, timeout=60)
        asked.request("GET", "/readyz")
        assert json.loads(asked.getresponse().read())["status"] == "ready"
        asked.close()

        make_certificate(tmp_path, "second")
        hub.process.send_signal(signal.SIGHUP)
        assert name_becomes(hub, "CN=second")
        key.write_text("nonsense")
        hub.process.send_signal(signal.SIGHUP)
        assert shown_name(hub) == "CN=second"
        assert end(hub) == 0
        events = [line["event"] for line in hub.log()]
        assert "certificate_renewed" in events
        assert "certificate_not_renewed" in events


def name_becomes(hub: FrontHub, name: str) -> bool:
    began = time.monotonic()
    while time.monotonic() - began < 60:
        if shown_name(hub) == name:
            return True
    return False


def test_tls_files_are_judged(tmp_path: Path) -> None:
    """A key that others may read, one that is none, one of another certificate: each refused in a sentence before the hub listens."""
    cert, key = make_certificate(tmp_path, "one")
    key.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Certificate(str(cert), str(key), {})
    passed = Certificate("cert.pem", "key.pem", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert passed.context.minimum_version == ssl.TLSVersion.TLSv1_2
    key.chmod(0o600)
    (tmp_path / "other").mkdir()
    other, _ = make_certificate(tmp_path / "other", "two")
    with pytest.raises(UsageError, match="belong together"):
        Certificate(str(other), str(key), {})
    with pytest.raises(UsageError, match="cannot be read"):
        Certificate(str(cert), str(tmp_path / "none"), {})
    init_hub(tmp_path / "home", more='[server]\ntls_cert = "nowhere"\n')
    with pytest.raises(UsageError, match="nowhere"):
        serve(tmp_path / "home" / "hub.toml", "127.0.0.1", 0, HandClock())


@contextlib.contextmanager
def idle_lines(hub: FrontHub, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as opened:
        yield [opened.enter_context(hub.line()) for _ in range(count)]


def test_two_thousand_idle_lines_keep_no_webhook_out(tmp_path: Path) -> None:
    """With more idle lines than there is room for, a webhook on a new line and one on an old line that works are both answered; and
    the end of the hub does not wait for them."""
    count = min(2000, room_for_lines(2000))
    with (
        front_hub(tmp_path / "home", more=f"[limits]\nconnections = {count * 3 // 4}\nheader_seconds = 60\n") as hub,
        idle_lines(hub, count),
    ):
        began = time.monotonic()
        with hub.line() as line:
            for wamid in ("wamid.1", "wamid.2"):
                line.sendall(webhook(wamid=wamid))
                assert answer_of(line).startswith(GOOD)
        took = time.monotonic() - began
        assert took < 60
        figures = hub.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").decode()
        assert 'wabiz_requests_refused_total{reason="connections_full"}' in figures
        assert f"wabiz_connections {count * 3 // 4}.0" in figures
        assert end(hub) == 0
