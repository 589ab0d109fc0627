"""The body of a request to the inbound relay: docs/protocol.md, section 3."""

from email.message import Message
from io import BufferedIOBase


class BodyReader:
    """The body of one request, chunked or of known length."""

    def __init__(self, file: BufferedIOBase, headers: Message) -> None:
        self._file = file
        self._chunked = headers.get('transfer-encoding', '').lower() == 'chunked'
        self._left = 0 if self._chunked else int(headers.get('content-length', '0'))
        self._begun = False
        self.ended = not self._chunked and self._left == 0

    def read(self, count: int) -> bytes:
        """Returns fewer octets than `count` only at the end of the body or of the connection."""
        octets = b''
        while len(octets) < count and not self.ended:
            if self._chunked and self._left == 0:
                self._next_chunk()
                continue
            part = self._file.read(min(count - len(octets), self._left))
            octets += part
            self._left -= len(part)
            self.ended = part == b'' or (not self._chunked and self._left == 0)
        return octets

    def skip(self, most: int) -> None:
        """Reads the rest of the body, but no more than `most` octets of it."""
        while most > 0 and (octets := self.read(min(most, 65536))):
            most -= len(octets)

    def _next_chunk(self) -> None:
        if self._begun:
            self._file.readline()
        self._begun = True
        line = self._file.readline().split(b';')[0].strip()
        self._left = int(line, 16) if line else 0
        if self._left == 0:
            while self._file.readline().strip():
                pass
            self.ended = True
