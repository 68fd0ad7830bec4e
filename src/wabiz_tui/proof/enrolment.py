"""Enrolment: the one-time code that carries the hub's fingerprint, and the device's proof that it holds its key."""

import hmac
import re

from wabiz_tui.model.errors import BadInput, BadSignature
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrollRequest
from wabiz_tui.proof.armour import from_base64, to_base64
from wabiz_tui.proof.fingerprint import fingerprint
from wabiz_tui.proof.signing import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, public_key, sign, verify

CONTEXT = "wabiz/enroll/v1"
_CODE = re.compile(r"([A-Za-z0-9_-]{16,128})\.([0-9a-f]{16})")


def build_code(secret: str, policy_public_key: bytes) -> str:
    """The code given to a person: `secret`, a dot and the fingerprint of the hub's policy key."""
    code = f"{secret}.{fingerprint(policy_public_key)}"
    parse_code(code)
    return code


def parse_code(code: str) -> tuple[str, str]:
    """The secret and the fingerprint in a code. Raises BadInput that does not repeat it."""
    matched = _CODE.fullmatch(code)
    if matched is None:
        raise BadInput("That is not an enrolment code: copy it whole, with the dot and the 16 digits after it.")
    return matched[1], matched[2]


def is_expected_hub(code: str, policy_public_key: bytes) -> bool:
    """Whether the hub that answered holds the key the code was made for."""
    return hmac.compare_digest(parse_code(code)[1], fingerprint(policy_public_key))


def build_request(code: str, seed: Secret, *, device_name: str = "") -> EnrollRequest:
    """The request of a device whose new key is `seed`."""
    public = to_base64(public_key(seed))
    proof = to_base64(sign(seed, CONTEXT, _message(code, public)))
    return EnrollRequest(code=code, public_key=public, proof=proof, device_name=device_name)


def check_request(request: EnrollRequest) -> bytes:
    """The public key the request proves to hold. The code itself is the hub's to judge. Raises BadInput, BadSignature."""
    parse_code(request.code)
    public = from_base64(request.public_key, size=PUBLIC_KEY_SIZE, what="The device's key")
    proof = from_base64(request.proof, size=SIGNATURE_SIZE, what="The proof")
    if not verify(public, CONTEXT, _message(request.code, request.public_key), proof):
        raise BadSignature("The device does not hold the key it sent.")
    return public


def _message(code: str, public: str) -> bytes:
    return f"{code}\n{public}".encode()
