"""What a pairing request leaves in B's store: docs/protocol.md, section 4, from RESERVE on."""

import time

import ml_kem
import pairing
from admission import WireError
from relay_headers import SecretKeys
from session_store import SessionStore, StoredSession, audience_hash, seal_blob

LIFETIME_SECONDS = 3600
MAX_MESSAGES = 2**18 - 1


def create_session(
    store: SessionStore,
    keys: SecretKeys,
    identity: str,
    request: pairing.PairRequest,
    th: bytes,
) -> tuple[str, bytes]:
    """
    Returns the sid, which depends on the request alone, and the response with the keys, which are new each time. Raises
    WireError.
    """
    epoch = store.reserve(pairing.session_id(th))
    if epoch is None:
        raise WireError(565, 0)
    try:
        session, response = pairing.respond(
            keys, identity, th, request.pk, LIFETIME_SECONDS, MAX_MESSAGES
        )
    except ml_kem.InvalidKey:
        raise WireError(562, 0) from None
    stored = StoredSession(
        session.k_c2s,
        session.k_s2c,
        time.time_ns() // 10**6 + LIFETIME_SECONDS * 1000,
        LIFETIME_SECONDS,
        audience_hash(request.audience),
    )
    if not store.put(session.sid, seal_blob(keys, session.sid, identity, epoch, stored)):
        raise WireError(568, 0)
    return session.sid, response
