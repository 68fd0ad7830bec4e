"""What `--archive` and hub.toml may name: a path, or the address of a PostgreSQL database without its password."""

from pathlib import Path

from wabiz_tui.hub.archive.engine.places import Place
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.secret import Secret

_SERVERS = ("postgresql://", "postgres://", "postgresql+psycopg://")
_FILES = ("sqlcipher:///", "sqlite:///", "file://")


def is_server(address: str) -> bool:
    return address.startswith(_SERVERS)


def normal_address(archive: str) -> str:
    """The address as hub.toml keeps it: absolute, without relying on the folder it was given in. Raises UsageError."""
    if is_server(archive):
        from wabiz_tui.hub.archive.engine.postgresql import checked_address

        return checked_address("postgresql://" + archive.split("://", 1)[1])
    return str(_file(archive))


def place_at(address: str, file_key: Secret, *, password: Secret | None = None, media: Path | None = None) -> Place:
    """`media` is the folder of files of an archive on a server; beside a file it needs no name. Raises UsageError."""
    if is_server(address):
        from wabiz_tui.hub.archive.engine.postgresql import PostgresqlPlace

        if media is None:
            raise UsageError("hub.toml names no folder 'media' in [hub]; an archive on a server needs one for its files.")
        return PostgresqlPlace(normal_address(address), password, media)
    from wabiz_tui.hub.archive.engine.sqlcipher import SqlcipherPlace

    return SqlcipherPlace(_file(address), file_key)


def _file(archive: str) -> Path:
    for scheme in _FILES:
        if archive.startswith(scheme):
            return Path(archive[len(scheme) :]).expanduser().absolute()
    if "://" in archive:
        raise UsageError(f"--archive does not know the kind of URL '{archive.split('://', 1)[0]}'; give it a path or postgresql://….")
    if not archive.strip():
        raise UsageError("--archive needs a path.")
    return Path(archive).expanduser().absolute()
