"""The upstream of inbound.py: a few paths, for some of which inbound.py corrupts the sealed response."""

import json
from dataclasses import dataclass, field
from hashlib import sha256

from head import Fields, RequestHead

PIECE_BYTES = 65536


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Fields
    pieces: list[bytes] = field(default_factory=list)
    # How the inbound relay corrupts the sealed records for a test.
    flip_record: int | None = None
    without_last: bool = False


def answer(head: RequestHead, body: bytes) -> Answer:
    """
    `/seen` describes the request, and `/empty` is a 204. `/announced/N` announces N octets and has 5 in its body.
    `/flipped/N` has one bit of record N flipped, and `/cut` lacks its last record. Any other path returns the body of
    the request and two cookies.
    """
    path = head.path.split('?')[0]
    if path == '/seen':
        return Answer(200, [('content-type', 'application/json')], [seen(head, body)])
    if path == '/empty':
        return Answer(204, [])
    if path.startswith('/announced/'):
        return Answer(200, [('content-length', path.removeprefix('/announced/'))], [b'12345'])
    cookies = [('set-cookie', 'a=1'), ('set-cookie', 'b=2'), ('x-latin', 'caf\xe9')]
    pieces = [body[i : i + PIECE_BYTES] for i in range(0, len(body), PIECE_BYTES)]
    flip_record = int(path.removeprefix('/flipped/')) if path.startswith('/flipped/') else None
    return Answer(201, cookies, pieces, flip_record, without_last=path == '/cut')


def seen(head: RequestHead, body: bytes) -> bytes:
    return json.dumps(
        {
            'method': head.method,
            'authority': head.authority,
            'path': head.path,
            'fields': head.fields,
            'bytes': len(body),
            'sha256': sha256(body).hexdigest(),
        }
    ).encode()
