"""How Alembic meets the archive: over the connection that engines.migrate hands in, inside its transaction."""

from alembic import context

from wabiz_tui.hub.archive.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
