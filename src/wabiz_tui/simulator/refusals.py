"""What the Graph API itself refuses, before WhatsApp has a say: tokens, paths, objects and fields that are not there."""

from typing import Any, NoReturn

from wabiz_tui.graph.errors import build_error, meaning
from wabiz_tui.graph.reading import Json
from wabiz_tui.model.errors import CloudError

OAUTH, METHOD = "OAuthException", "GraphMethodException"
_GUIDE = "Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
_SHOWN = 200


class Refusal(CloudError):
    """An answer in Graph's own words. `title` and `text` are `error_user_title` and `error_user_msg`."""

    def __init__(
        self, code: int, message: str, *, subcode: int | None = None, kind: str = OAUTH, status: int = 400, title: str = "", text: str = ""
    ) -> None:
        super().__init__(message, graph_code=code, http_status=status, details=message)
        self.number, self.message, self.subcode, self.kind, self.status = code, message, subcode, kind, status
        self.title, self.text = title, text

    def body(self, trace: str) -> Json:
        error: Json = {"message": self.message, "type": self.kind, "code": self.number}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.title:
            error |= {"is_transient": False, "error_user_title": self.title, "error_user_msg": self.text or self.title}
        return {"error": {**error, "fbtrace_id": trace}}


def no_object(name: str, method: str = "get") -> Refusal:
    """An id that is no object of this account, or one that cannot do what is asked."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{name[:_SHOWN]}' does not exist, "
        f"cannot be loaded due to missing permissions, or does not support this operation. {_GUIDE}"
    )
    return Refusal(100, message, subcode=33, kind=METHOD)


def no_field(field: str, node: str) -> Refusal:
    return Refusal(100, f"(#100) Tried accessing nonexisting field ({field[:_SHOWN]}) on node type ({node})")


def unknown_path(path: str) -> Refusal:
    """A version that does not exist, and a path that does not."""
    return Refusal(2500, f"Unknown path components: {path[:_SHOWN]}")


def bad_method(method: str) -> Refusal:
    return Refusal(100, f"Unsupported request - method type: {method.lower()[:20]}", kind=METHOD)


def invalid(subcode: int, title: str, text: str) -> NoReturn:
    """Raises the form in which the template endpoints refuse: code 100, and the reason as subcode and for the eye of a user."""
    raise Refusal(100, "Invalid parameter", subcode=subcode, title=title, text=text)


def error_body(error: CloudError, trace: str) -> tuple[Json, int]:
    """The body of a refusal and its HTTP status."""
    if isinstance(error, Refusal):
        return error.body(trace), error.status
    code = 1 if error.graph_code is None else error.graph_code
    body: dict[str, Any] = build_error(code, error.details, trace)
    if 2388000 <= code < 2389000:
        # Clients find the reason as the code (Meta's error page) or as the subcode of 100 (what is seen in life).
        body["error"] |= {"error_subcode": code, "error_user_title": meaning(code).title, "error_user_msg": error.details}
    return body, error.http_status or meaning(code).http_status
