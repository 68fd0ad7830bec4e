"""The desk: the Protocol of model/desk over cache, outbox, link and purge; locked until it is unlocked."""

from wabiz_tui.desk.calls.media import Media
from wabiz_tui.desk.calls.rekeying import Rekeying
from wabiz_tui.desk.calls.sending import Sending
from wabiz_tui.desk.calls.working import Working


class LocalDesk(Sending, Working, Media, Rekeying):
    """Implements model.desk.Desk. `begin` before the first call; `close` when the process ends."""
