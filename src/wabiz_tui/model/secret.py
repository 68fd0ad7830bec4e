"""Values that must not be seen: they print as <secret>, compare in constant time and are read out by name."""

from typing import Final


class Secret:
    """Bytes that never show in a repr, a log or a traceback. `reveal()` is called in the line that uses them.

    Python cannot erase immutable bytes; the value is kept in a bytearray so that `forget()` can overwrite the one copy
    this object owns. Copies handed out by `reveal()` live as long as their users keep them.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray | str) -> None:
        self._value: Final = bytearray(value.encode() if isinstance(value, str) else value)

    def reveal(self) -> bytes:
        return bytes(self._value)

    def text(self) -> str:
        """The value as UTF-8 text."""
        return self._value.decode()

    def forget(self) -> None:
        """Overwrite the value with nothing; the secret is empty afterwards."""
        for index in range(len(self._value)):
            self._value[index] = 0
        del self._value[:]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        import hmac

        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # pyright: ignore[reportAssignmentType] a secret is no dictionary key

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")
