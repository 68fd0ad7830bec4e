"""Examine a hub: its files, its archive, and what Meta knows of it. Nothing is changed, at Meta or here, but that the archive is
brought to the present version, as at every start."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, timedelta
from pathlib import Path

from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.front.tls import Certificate
from wabiz_tui.hub.operations.findings import Finding, failed, ok, warning
from wabiz_tui.hub.operations.health import Health, HealthKeeper
from wabiz_tui.hub.operations.meta_check import examine_meta
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.operations.secrets import HubSecrets, load_secrets
from wabiz_tui.hub.operations.settings import Settings, load_settings
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import UsageError, WabizError

_GIB = 1024**3
_LITTLE_DISK, _NO_DISK = 5 * _GIB, _GIB // 2
_LATE_FOLD = 60.0
_LATE_MEDIA = timedelta(days=1)
_CERTIFICATE_ENDS = timedelta(days=21)


async def examine(
    config: Path, *, clock: Clock, random_bytes: Callable[[int], bytes], environment: Mapping[str, str] = os.environ
) -> list[Finding]:
    """Everything, in the order in which it matters; takes seconds, and half a minute where Meta does not answer. Raises
    DocumentError for a hub.toml that cannot be read."""
    settings = load_settings(config)
    findings = [ok("settings", f"{config} names account {settings.hub.tenant} and {_count(len(settings.hub.numbers), 'number')}.")]
    findings += _line(settings, environment, clock)
    try:
        secrets = load_secrets(settings.secret_places, environment)
    except UsageError as error:
        return [*findings, failed("secrets", error.sentence)]
    findings += _secret_files(settings)
    findings += _folders(settings)
    findings += await _archive(settings, secrets, clock, random_bytes)
    return findings + await examine_meta(settings, secrets, clock)


def _line(settings: Settings, environment: Mapping[str, str], clock: Clock) -> Iterator[Finding]:
    server = settings.server
    if server.tls_cert:
        try:
            Certificate(server.tls_cert, server.tls_key, environment)
        except UsageError as error:
            yield failed("tls", error.sentence)
        else:
            yield _certificate(server.tls_cert, environment, clock)
    elif server.trusted_proxies:
        yield ok("tls", f"{_count(len(server.trusted_proxies), 'trusted proxy network')} in front of the hub; TLS is theirs to speak.")
    else:
        sentence = (
            "The hub speaks plain HTTP to this machine only; a proxy here counts as one caller until [server] trusted_proxies names it."
        )
        yield warning("tls", sentence)
    if not server.public_url:
        yield warning("public url", "Set [server] public_url in hub.toml: links in answers begin with it, and its webhook can be tried.")
    elif not server.public_url.startswith("https://"):
        yield warning("public url", "[server] public_url is no https:// address: Meta calls no other.")
    else:
        yield ok("public url", f"Links begin with {server.public_url}.")


def _certificate(name: str, environment: Mapping[str, str], clock: Clock) -> Finding:
    from cryptography.x509 import load_pem_x509_certificate

    passed = environment.get("CREDENTIALS_DIRECTORY")
    path = Path(passed) / name if passed and (Path(passed) / name).is_file() else Path(name).expanduser()
    ends = load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    left = ends - clock.now().astimezone(UTC)
    if left <= timedelta():
        return failed("tls", f"The certificate ended on {ends:%Y-%m-%d}; put a new one in its place and send the hub SIGHUP.")
    if left < _CERTIFICATE_ENDS:
        return warning("tls", f"The certificate ends on {ends:%Y-%m-%d}; renew it, and send the hub SIGHUP.")
    return ok("tls", f"TLS 1.2 or later, with a certificate until {ends:%Y-%m-%d}.")


def _secret_files(settings: Settings) -> Iterator[Finding]:
    places = settings.secret_places
    for folder in dict.fromkeys(one for one in (places.own, places.folder) if one is not None):
        open_ones = sorted(path.name for path in folder.iterdir() if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if open_ones:
            yield failed("secrets", f"Others may read {', '.join(open_ones)} in {folder}; run: chmod 600 '{folder}'/*")
        elif mode & 0o022:
            yield failed("secrets", f"Others may put files into {folder}; run: chmod 700 '{folder}'")
        else:
            yield ok("secrets", f"All secrets and the hub's own keys (archive, seal, policy, audit) are there, and private, in {folder}.")
    if places.folder is None:
        yield warning("secrets", "Meta's secrets come from environment variables, which is for development; use --secrets-dir.")


def _folders(settings: Settings) -> Iterator[Finding]:
    from wabiz_tui.hub.archive.engine.addresses import is_server

    folders: dict[str, Path] = {}
    if not is_server(settings.hub.archive):
        folders["archive"] = Path(settings.hub.archive).parent
    if settings.hub.media:
        folders["media"] = Path(settings.hub.media)
    for name, folder in folders.items():
        there = next(one for one in (folder, *folder.parents) if one.exists())
        mode = stat.S_IMODE(there.stat().st_mode)
        free = shutil.disk_usage(there).free
        if not os.access(there, os.W_OK | os.X_OK):
            yield failed(f"{name} folder", f"{there} cannot be written by this user.")
        elif mode & 0o022:
            yield failed(f"{name} folder", f"Others may change what is in {there}; run: chmod go-w '{there}'")
        elif free < _NO_DISK:
            yield failed(f"{name} folder", f"{there} has {free / _GIB:.1f} GiB left: webhooks will soon be refused; make room.")
        elif free < _LITTLE_DISK:
            yield warning(f"{name} folder", f"{there} has {free / _GIB:.1f} GiB left; make room.")
        else:
            yield ok(f"{name} folder", f"{there} can be written and has {free / _GIB:.0f} GiB left.")


async def _archive(settings: Settings, secrets: HubSecrets, clock: Clock, random_bytes: Callable[[int], bytes]) -> list[Finding]:
    try:
        # Not as a start does it, which finishes what a crash left: a hub may be serving beside us.
        place = settings.place(secrets)
        archive = await asyncio.to_thread(
            Archive, place, secrets.seal_key, tenant=settings.hub.tenant, clock=clock, random_bytes=random_bytes
        )
    except WabizError as error:
        return [failed("archive", error.sentence)]
    try:
        journal = archive.open_journal()
    except WabizError as error:
        archive.close()
        return [failed("journal", error.sentence)]
    try:
        guard = Guard(settings.limits, settings.trust, refused=lambda _: None, monotonic=clock.monotonic)
        health = await HealthKeeper(archive, journal, Metrics(), guard, clock.monotonic).health()
    except WabizError as error:
        return [failed("archive", error.sentence)]
    finally:
        await asyncio.to_thread(journal.stop)
        await asyncio.to_thread(archive.close)
    return [ok("archive", f"It opens with this hub's keys and answers{_size(settings)}."), *_behind(health)]


def _size(settings: Settings) -> str:
    path = Path(settings.hub.archive)
    return f"; {path.stat().st_size / 1024**2:.0f} MiB" if path.is_file() else ""


def _behind(health: Health) -> Iterator[Finding]:
    journal, media = health.journal, health.media
    waited = f"{_count(journal.entries, 'webhook')} waiting, the oldest for {journal.seconds:.0f} s"
    if journal.entries and journal.seconds > _LATE_FOLD:
        yield failed("journal", f"Folding is behind: {waited}. Is a hub running? Its log says why under fold_failed.")
    else:
        yield ok("journal", "Every acknowledged webhook is in the archive." if not journal.entries else f"Under way: {waited}.")
    if media.pending and media.expires_in is not None and media.expires_in < _LATE_MEDIA.total_seconds():
        yield failed(
            "files", f"{_count(media.pending, 'file')} to fetch, of which the first is lost within a day; see media_put_off in the log."
        )
    elif media.oldest_seconds > _LATE_MEDIA.total_seconds():
        yield warning("files", f"{_count(media.pending, 'file')} to fetch, the oldest for {media.oldest_seconds / 3600:.0f} h.")
    elif media.failed:
        yield warning("files", f"{_count(media.failed, 'file')} could not be had from WhatsApp; see media_failed in the log.")
    else:
        yield ok("files", f"{_count(media.pending, 'file')} to fetch." if media.pending else "Every file that customers sent is here.")
    if health.overdue_devices:
        yield warning("devices", f"{_count(health.overdue_devices, 'device')} owe a purge receipt; see `wabiz devices list`.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
