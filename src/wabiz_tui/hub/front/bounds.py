"""`[limits]` of hub.toml: what one line, one request and all of them together may cost the hub."""

import msgspec

MIB = 1024 * 1024


class Bounds(msgspec.Struct, frozen=True):
    """Sizes are bytes, times seconds. The defaults leave room for a thousand agents; no honest client meets them.

    A body may take `body_seconds` and a second more for each `body_rate` bytes that came: a slow line gets its upload through, one
    that drips does not. `requests`, `webhooks` and `streams` are counted apart, so none of them can take the room of another."""

    connections: int = 4096
    """Above it the line that has waited longest without a request is closed for a new one."""
    connections_per_address: int = 512
    """Not for this machine and trusted proxies. IPv6 is counted by /64."""
    requests: int = 512
    """At work at once; one whose body is still on its way is not at work yet."""
    webhooks: int = 1024
    """Meta's posts that wait for their commit."""
    streams: int = 4096
    header_bytes: int = 32 * 1024
    header_count: int = 100
    header_seconds: int = 10
    body_seconds: int = 20
    body_rate: int = 16 * 1024
    body_bytes: int = MIB
    """Of a request to /v1 or the gateway; files on their way up have Meta's bounds, webhooks 4 MiB."""
    arriving_bytes: int = 256 * MIB
    """Of all bodies on their way in together, as far as they are larger than 64 KiB each."""
    upload_bytes: int = 8 * 1024 * MIB
    """Of the files of all devices that are on their way up in pieces, on the disk of the media folder."""
    free_bytes: int = 512 * MIB
    """What an upload must leave free there: webhooks and customers' files have the rest."""
    idle_seconds: int = 30
    """Between two requests of one line."""
    write_seconds: int = 30
    """For a client that does not read what was asked for."""


SMALLEST: dict[str, int] = {
    "connections": 16,
    "connections_per_address": 1,
    "requests": 4,
    "webhooks": 4,
    "streams": 1,
    "header_bytes": 4096,
    "header_count": 20,
    "body_rate": 256,
    "body_bytes": 64 * 1024,
    "arriving_bytes": 8 * MIB,
    "upload_bytes": MIB,
}
"""Below these the hub could not work; what is not named may be 1."""
