"""The identities of customers, unmasked on demand."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.people.reveal import reveal
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.model.staff import Revealed, RevealRequest


async def reveal_contact(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, contact, policy = await read_json(request, RevealRequest), request.path_params["contact"], hub.policy.policy
    hub.rates.reveals.take(caller.person.id)
    return json_answer(await hub.archive.write(lambda writing: reveal(writing, contact, wanted.reason, by=caller.viewer, policy=policy)))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "/v1/contacts/{contact}/reveal", "contact.reveal", "A contact unmasked for a moment, with a reason; audited.",
        reveal_contact, RevealRequest, Revealed,
    ),
)  # fmt: skip
