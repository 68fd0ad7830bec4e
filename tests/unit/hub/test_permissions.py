"""Every endpoint against every role: the table of endpoints and the matrix of permissions agree with what happens."""

import json
from pathlib import Path

from tests.support.hub_served import served_hub
from wabiz_tui.hub.endpoints.table import ENDPOINTS, describe
from wabiz_tui.model.codec import encode
from wabiz_tui.policy.permissions import ACTIONS, ROLES, can

OPEN = {"/v1/enroll", "/v1/token", "/v1/openapi.json"}


def test_every_endpoint_names_a_permission_of_the_matrix() -> None:
    """Only enrolment, tokens and the description are open; every other endpoint's permission is in the matrix."""
    assert {endpoint.path for endpoint in ENDPOINTS if not endpoint.permission} == OPEN
    assert {endpoint.permission for endpoint in ENDPOINTS if endpoint.permission} <= set(ACTIONS)


async def test_each_role_gets_what_the_matrix_gives(tmp_path: Path) -> None:
    """For each endpoint and role: 403 with `forbidden` exactly where the matrix says no, and 401 without a token."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        people = {role: admin if role == "admin" else await served.person(admin, role, role) for role in ROLES}
        wrong: list[tuple[str, str, int]] = []
        for endpoint in ENDPOINTS:
            if not endpoint.permission or endpoint.path.endswith("/stream"):
                continue
            path = endpoint.path.replace("{device}", "0" * 32).replace("{conversation}", "0" * 32).replace("{message}", "0" * 32)
            anonymous = await served.http.request(endpoint.method, path, content=b"{}")
            if anonymous.status_code != 401:
                wrong.append((endpoint.path, "nobody", anonymous.status_code))
            for role, device in people.items():
                answer = await served.http.request(endpoint.method, path, content=b"not json", headers=device.headers)
                is_forbidden = answer.status_code == 403 and answer.json()["code"] == "forbidden"
                if is_forbidden == can(role, endpoint.permission) or answer.status_code >= 500:
                    wrong.append((endpoint.path, role, answer.status_code))

        assert wrong == []


async def test_the_description_names_every_route(tmp_path: Path) -> None:
    """GET /v1/openapi.json needs no token and names each endpoint with its permission."""
    async with served_hub(tmp_path) as served:
        told = (await served.http.get("/v1/openapi.json")).json()

        assert told == json.loads(encode(describe()))
        for endpoint in ENDPOINTS:
            assert told["paths"][endpoint.path][endpoint.method.lower()]["x-permission"] == (endpoint.permission or None)
        for path in ("/webhooks/whatsapp", "/healthz", "/readyz", "/metrics"):
            assert path in told["paths"]
        assert (await served.http.get("/metrics")).text.startswith("# HELP")
