"""What all tables are made of."""

import sqlalchemy as sa

metadata = sa.MetaData()


def tenant_key() -> sa.Column[str]:
    return sa.Column("tenant", sa.String(64), primary_key=True)


def id_key(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=True)


def ms(name: str, *, nullable: bool = True) -> sa.Column[int]:
    """An instant: milliseconds since 1970 UTC."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)
