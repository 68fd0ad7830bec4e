"""Signed policies: the hub signs the very text of a policy document, and every device verifies it before obeying."""

from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import PolicyVersion, SignedPolicy
from wabiz_tui.proof.statements import state, verify_statement

CONTEXT = "wabiz/policy/v1"
_MAX_POLICY = 1024 * 1024


def sign_policy(policy: PolicyVersion, seed: Secret) -> SignedPolicy:
    """`policy` signed with the hub's policy key."""
    text, signature = state(policy, seed, CONTEXT)
    return SignedPolicy(policy=text, signature=signature)


def verify_policy(signed: SignedPolicy, public: bytes) -> PolicyVersion:
    """The policy, signed by the hub's policy key `public`. Raises BadSignature, BadInput."""
    return verify_statement(signed.policy, signed.signature, public, CONTEXT, PolicyVersion, what="The policy", limit=_MAX_POLICY)
