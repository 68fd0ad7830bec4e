"""`hub.toml`: whom the hub serves, where its archive and Meta are, and where its secrets lie. No secret stands in it."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from wabiz_tui.hub.archive.backup.restoring import refuse_half_restored
from wabiz_tui.hub.archive.engine.addresses import is_server, normal_address, place_at
from wabiz_tui.hub.archive.engine.places import Place
from wabiz_tui.hub.archive.epochs import destroy_recorded
from wabiz_tui.hub.archive.erasure.erasing import finish_erasures
from wabiz_tui.hub.archive.events import note_number
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.front.addresses import Network, Trust, parse_network
from wabiz_tui.hub.front.bounds import SMALLEST, Bounds
from wabiz_tui.hub.operations.secrets import HubSecrets, SecretPlaces, load_secrets, make_own_keys
from wabiz_tui.hub.people.enrolment import invite
from wabiz_tui.hub.policy import first_policy
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.document import Problem, Written, load_text, read_document
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.paths import Paths, make_private
from wabiz_tui.model.wire import EnrolmentCode, NewPerson

FILE_NAME = "hub.toml"


class HubPart(msgspec.Struct, frozen=True):
    """`accounts` are the WhatsApp Business Accounts served, the tenant first; `numbers` are the phone_number_ids known at the
    start. Webhooks of others are archived all the same."""

    tenant: str
    archive: str
    graph_url: str
    media: str = ""
    """The folder of files, where the archive is no file that they could lie beside."""
    accounts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    graph_version: str = "v26.0"
    business: str = ""

    @property
    def all_accounts(self) -> frozenset[str]:
        """The tenant's among them, also where the file names it alone."""
        return frozenset((self.tenant, *self.accounts))


class SecretsPart(msgspec.Struct, frozen=True):
    """Either `folder`, or the three names of environment variables; `own` is where the hub's own keys are."""

    own: str
    folder: str = ""
    graph_token_env: str = ""
    app_secret_env: str = ""
    verify_token_env: str = ""


class ServerPart(msgspec.Struct, frozen=True):
    """How the hub is reached: by TLS of its own (`tls_cert`, `tls_key`: PEM files), or through proxies whose `X-Forwarded-*` headers
    it believes. `public_url` begins the links it hands out."""

    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    public_url: str = ""


class Settings(msgspec.Struct, frozen=True):
    hub: HubPart
    secrets: SecretsPart
    server: ServerPart = ServerPart()
    limits: Bounds = Bounds()

    @property
    def trust(self) -> Trust:
        return Trust(self.server.trusted_proxies, self.server.public_url)

    def place(self, secrets: HubSecrets) -> Place:
        """Where the archive lies. Raises UsageError for an address that is none, or that holds a password."""
        media = Path(self.hub.media) if self.hub.media else None
        return place_at(self.hub.archive, secrets.archive_key, password=secrets.archive_password, media=media)

    @property
    def secret_places(self) -> SecretPlaces:
        part = self.secrets
        folder = Path(part.folder) if part.folder else None
        return SecretPlaces(Path(part.own), folder, part.graph_token_env, part.app_secret_env, part.verify_token_env)


def load_settings(path: Path) -> Settings:
    """Raises DocumentError with file, line, key and the nearest valid name."""
    return read_document(load_text(path), Settings, file=str(path), readers={Network: _network}, check=_problems)


def _network(found: object) -> Network:
    if not isinstance(found, str):
        raise ValueError('This must be a network in quotes, such as "10.0.0.0/8".')  # noqa: TRY004 what readers raise
    return parse_network(found)


def _problems(settings: Settings, _written: Written) -> Iterable[Problem]:
    server = settings.server
    if bool(server.tls_key) and not server.tls_cert:
        yield Problem(("server", "tls_key"), "A key needs its certificate: set tls_cert too.")
    if server.public_url and not server.public_url.startswith(("https://", "http://")):
        yield Problem(("server", "public_url"), "This must begin with https://.")
    for name, value in msgspec.structs.asdict(settings.limits).items():
        least = SMALLEST.get(name, 1)
        if value < least:
            yield Problem(("limits", name), f"This must be {least} or more.")


def initialise(
    paths: Paths,
    *,
    archive: str,
    waba_id: str,
    further_waba_ids: Sequence[str] = (),
    phone_number_ids: list[str],
    graph_url: str,
    secrets_dir: Path | None = None,
    graph_token_env: str | None = None,
    app_secret_env: str | None = None,
    verify_token_env: str | None = None,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    environment: Mapping[str, str] = os.environ,
) -> EnrolmentCode:
    """Make hub.toml, the hub's own keys and the archive; the one-time code of the first administrator. `waba_id` names the tenant.

    Raises UsageError when there is a hub.toml already, and the refusals of the archive."""
    config = paths.config / FILE_NAME
    if config.exists():
        raise UsageError(f"There is a hub already: {config} exists; remove it to set up another one.")
    accounts = tuple(dict.fromkeys((waba_id, *further_waba_ids)))
    _check_ids(accounts, phone_number_ids, graph_url)
    address = normal_address(archive)
    own = paths.data / "secrets" if secrets_dir is None else secrets_dir.expanduser().absolute()
    settings = Settings(
        HubPart(
            tenant=waba_id,
            accounts=accounts,
            numbers=tuple(phone_number_ids),
            graph_url=graph_url.rstrip("/"),
            archive=address,
            media=str(paths.data / "media") if is_server(address) else "",
        ),
        SecretsPart(
            own=str(own),
            folder=str(own) if secrets_dir is not None else "",
            graph_token_env=graph_token_env or "",
            app_secret_env=app_secret_env or "",
            verify_token_env=verify_token_env or "",
        ),
    )
    make_own_keys(own, random_bytes)
    secrets = load_secrets(settings.secret_places, environment)
    make_private(settings.place(secrets).media.parent)
    opened = open_archive(settings, secrets, clock=clock, random_bytes=random_bytes)
    try:
        # On a server another hub's archive opens as well: its first key, which only its own seal key opens, tells it from ours.
        opened.keys.make_now("hub")
        code = opened.write_now(lambda writing: _first_rows(writing, settings, secrets))
    finally:
        opened.close()
    _write_settings(config, settings)
    return code


def open_archive(settings: Settings, secrets: HubSecrets, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> Archive:
    """The archive, with what an earlier crash left undone done."""
    place = settings.place(secrets)
    archive = Archive(place, secrets.seal_key, tenant=settings.hub.tenant, clock=clock, random_bytes=random_bytes)
    try:
        refuse_half_restored(archive)
        destroy_recorded(archive)
        finish_erasures(archive)
    except BaseException:
        archive.close()
        raise
    return archive


def _first_rows(writing: Writing, settings: Settings, secrets: HubSecrets) -> EnrolmentCode:
    for number in settings.hub.numbers:
        note_number(writing, number)
    record(writing, Act("hub.initialised", by="", details={"numbers": len(settings.hub.numbers)}))
    first_policy(writing, secrets.policy_key)
    return invite(writing, NewPerson(name="Administrator", role="admin"), by="", policy_key=secrets.policy_key)


def _check_ids(waba_ids: Sequence[str], phone_number_ids: list[str], graph_url: str) -> None:
    for name, value in (*(("--waba-id", account) for account in waba_ids), *(("--phone-number-id", number) for number in phone_number_ids)):
        if not value.isalnum() or len(value) > 64:
            raise UsageError(f"{name} takes an id of Meta's: letters and digits only.")
    if not graph_url.startswith(("https://", "http://")):
        raise UsageError("--graph-url must begin with https:// (or http:// for a simulator on this machine).")


def _write_settings(path: Path, settings: Settings) -> None:
    make_private(path.parent)
    lines = ["# What this hub serves, and where things are. No secret stands here. Made by `wabiz hub init`.", "[hub]"]
    lines += _pairs(settings.hub)
    lines += ["", "[secrets]", *_pairs(settings.secrets)]
    partial = path.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _pairs(part: msgspec.Struct) -> list[str]:
    # A JSON string or list of strings is written alike in TOML.
    values = msgspec.structs.asdict(part)
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value not in ("", ())]
