"""Values as the cache holds them: the JSON of one of the model's."""

from typing import TypeVar

from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, DamagedStore

T = TypeVar("T")


def stored(raw: bytes, kind: type[T]) -> T:
    """Raises DamagedStore without a path, which means the cache of the moment: what was put in was of this form. SQLCipher takes a page
    of zeros for one that was never written, so that the end of a long value may be zeros though no page fails.

    Rows are fetched before they come here: a cursor that an error holds keeps its snapshot, and the closing of the file waits for it."""
    try:
        return decode(raw, kind)
    except BadInput as error:
        raise DamagedStore("The cache is damaged and cannot be read.") from error
