"""`/{app}/uploads` and the sessions it opens: how samples of template headers and profile pictures reach Meta ("Resumable Upload API")."""

import base64
import hashlib

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import MEDIA_SIZES
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.account.uploads import SESSION, Upload
from wabiz_tui.simulator.endpoints.call import Call

TYPE = "UploadSession"
TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


async def begin(call: Call) -> Json:
    """Opens a session for a file of a size and type told beforehand."""
    mime_type, length = call.required("file_type"), call.whole("file_length", 1, MEDIA_SIZES["document"])
    if mime_type not in TYPES:
        raise graph_error(100, "Param file_type must be one of {" + ", ".join(TYPES) + "}")
    if length is None:
        raise graph_error(100, "The parameter file_length is required.")
    return {"id": call.world.account.uploads.begin(mime_type, length)}


async def send(call: Call) -> Json:
    """Bytes from `file_offset` on; with the last of them comes the handle."""
    upload = _of(call)
    offset = call.request.headers.get("file_offset", "0")
    if not offset.isdecimal() or int(offset) != len(upload.content):
        raise graph_error(100, f"The header file_offset must be {len(upload.content)}.")
    sent = call.file.content if call.file is not None else b""
    if len(upload.content) + len(sent) > upload.length:
        raise graph_error(100, f"More was sent than the {upload.length} bytes of file_length.")
    upload.content += sent
    if len(upload.content) < upload.length:
        return {"id": call.node, "file_offset": len(upload.content)}
    return {"h": f"4::{base64.b64encode(upload.mime_type.encode()).decode()}:{hashlib.sha256(upload.content).hexdigest()}"}


async def look_up(call: Call) -> Json:
    """Where an interrupted upload goes on."""
    return {"id": call.node, "file_offset": len(_of(call).content)}


def _of(call: Call) -> Upload:
    return call.world.account.uploads.sessions[call.node.removeprefix(SESSION)]
