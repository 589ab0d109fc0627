"""The API behind the inbound relay of this directory: a few paths, and answers that are spoilt on the way."""

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
    # What an inbound relay does to the sealed records for the sake of a test.
    flip_record: int | None = None
    without_last: bool = False


def answer(head: RequestHead, body: bytes) -> Answer:
    """
    `/seen` tells what came, `/empty` is a 204, `/announced/N` is N octets in its head and 5 in its body,
    `/flipped/N` has a bit of record N turned over, `/cut` lacks its last record; any other path gives the body
    back, beside two cookies.
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
            'path': head.path,
            'fields': head.fields,
            'bytes': len(body),
            'sha256': sha256(body).hexdigest(),
        }
    ).encode()
