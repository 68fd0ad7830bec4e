"""The shortcut by which tests come to an empty archive: it must leave exactly what the migrations leave."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support import hub_archive, schema_replay
from wabiz_tui.hub.archive.engine import sql


def _schema_of(folder: Path) -> list[tuple[Any, ...]]:
    folder.mkdir()
    archive = hub_archive.open_archive(folder)
    try:
        with archive.reading() as reading:
            tables = reading.connection.execute(sa.text("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"))
            found = [tuple(row) for row in tables]
            return [*found, tuple(reading.connection.execute(sa.text("SELECT version_num FROM alembic_version")).one())]
    finally:
        archive.close()


def test_a_replayed_schema_is_that_of_the_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table, index and trigger, and the revision; the second of two archives is replayed."""
    monkeypatch.setattr(sql, "_migrate", schema_replay.MIGRATE)
    made = _schema_of(tmp_path / "made")
    with schema_replay.schema_replayed():
        _schema_of(tmp_path / "recorded")
        replayed = _schema_of(tmp_path / "replayed")
    assert replayed == made
    assert len(made) > 40
