"""
What the inbound relay decides about a message before it calls the upstream: docs/protocol.md, section 7.

About a message, p=0 is a proof that it was not forwarded and never can be. It is said in one place only: by
`refuse`, once MARK has found the number unused. It is bound to the keys of the session that was opened: a replayed
pairing may have made another session of that sid, whose store never saw what ran under the first.
"""

from collections.abc import Callable
from dataclasses import dataclass

from relay_headers import (
    SecretKeys,
    TunnelHeader,
    decode_tunnel_header,
    derive_proof,
    verify_client_id,
)
from session_store import (
    HEAD_BYTES,
    BlobRefused,
    SessionStore,
    StoredSession,
    StoreUnavailable,
    audience_hash,
    open_blob,
)

MAX_LATE_MS = 30_000
MAX_EARLY_MS = 300_000


class WireError(Exception):
    """An error response of section 8, which is unsigned if it has no `p`. `proof` is that of a message's session."""

    def __init__(self, status: int, p: int | None = None, proof: bytes | None = None) -> None:
        super().__init__(status, p)
        self.status = status
        self.p = p
        self.proof = proof


@dataclass(frozen=True)
class Rules:
    """Settings of B. Without audiences it accepts what was meant for any holder of the secret."""

    max_messages: int
    own_client_id: str | None = None
    audiences: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Message:
    """
    A message, or the opening of a channel, whose session is known. `relay_header` is the raw value that its keys are
    made from, `identity` the sender as `kid.clientId`.
    """

    header: TunnelHeader
    relay_header: str
    session: StoredSession
    blob_head: bytes
    identity: str


class Admission:
    def __init__(self, keys: list[SecretKeys], store: SessionStore, rules: Rules) -> None:
        self._keys = {accepted.kid: accepted for accepted in keys}
        self._store = store
        self._rules = rules

    def sender(
        self, client_id_header: str, purpose: str, relay_header: str, body: bytes = b''
    ) -> tuple[SecretKeys, str]:
        """Returns the keys and `kid.clientId` of a sender that holds a secret and is not this relay itself."""
        keys = self._keys.get(client_id_header[:8])
        if keys is None:
            raise WireError(566)
        identity = verify_client_id(keys, client_id_header, purpose, relay_header, body)
        if identity is None or identity.split('.', 1)[1] == self._rules.own_client_id:
            raise WireError(566)
        return keys, identity

    def accepts_audience(self, hashed: bytes) -> bool:
        audiences = self._rules.audiences
        return audiences is None or hashed in map(audience_hash, audiences)

    def open(
        self,
        client_id_header: str,
        relay_header: str,
        now_ms: int,
        decode: Callable[[str], TunnelHeader | None] = decode_tunnel_header,
    ) -> Message:
        """Steps 1 to 3: everything that needs no octet of the body. `decode` differs for the opening of a channel."""
        header = decode(relay_header)
        if header is None:
            raise WireError(566)
        keys, identity = self.sender(client_id_header, 'tunnel', relay_header)
        try:
            blob = self._store.open(header.sid)
        except StoreUnavailable:
            raise WireError(563, 1) from None
        if blob is None:
            raise WireError(560, 1)
        try:
            session = open_blob(keys, header.sid, identity, blob)
        except BlobRefused:
            raise WireError(566) from None
        if not self.accepts_audience(session.audience_hash):
            raise WireError(566)
        message = Message(header, relay_header, session, blob[:HEAD_BYTES], identity)
        if header.seq > self._rules.max_messages or now_ms > session.expires_at_ms:
            self._end(message)
        return message

    def expect_fresh(self, message: Message, now_ms: int) -> None:
        """Refuses a message that was held back on its way. Called once record 0 is open; a check has none."""
        session = message.session
        elapsed_ms = now_ms - (session.expires_at_ms - session.lifetime_seconds * 1000)
        late_ms = elapsed_ms - message.header.age_seconds * 1000
        if late_ms > MAX_LATE_MS or late_ms < -MAX_EARLY_MS:
            self.refuse(message, 562)

    def mark(self, message: Message, unavailable: int = 567) -> None:
        """
        Consumes the number of the message and the one that it replaces. Raises the error for A if either was used:
        the first attempt ran or may run, so the second must not.
        """
        header = message.header
        try:
            bits = self._store.mark(header.sid, message.blob_head, header.seq, header.replaced)
        except StoreUnavailable:
            raise WireError(unavailable, 1) from None
        if bits is None:
            raise WireError(560, 1)
        if any(bits):
            raise WireError(565, 1)

    def refuse(self, message: Message, status: int, unavailable: int = 567) -> None:
        """Raises an error with p=0 if the number was unused, otherwise the one that MARK leads to."""
        self.mark(message, unavailable)
        raise WireError(status, 0, derive_proof(message.session.k_s2c))

    def _end(self, message: Message) -> None:
        try:
            self.refuse(message, 559, unavailable=563)
        except WireError as error:
            if error.status == 559:
                self._kill(message.header.sid)
            raise

    def _kill(self, sid: str) -> None:
        try:
            self._store.kill(sid)
        except StoreUnavailable:
            pass  # The number is consumed, which is all that 559 with p=0 says.
