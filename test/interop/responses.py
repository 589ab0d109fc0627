"""What becomes of a message that the outbound relay sent, as outbound.py prints it."""

import base64
from dataclasses import asdict
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import Protocol

import records
from head import HeadRefused, ResponseHead, content_lengths, decode_response_head
from retries import End, Outcome

WITHOUT_BODY = (204, 304)


class Headed(Protocol):
    """What every response has, of a message as of an opening."""

    status: int
    headers: Message


def relay_header(answer: Headed) -> str:
    """Returns the value of x-mte-relay. Several values are joined into one that matches no pattern."""
    return ', '.join(answer.headers.get_all('x-mte-relay') or [])


def is_coded(answer: HTTPResponse) -> bool:
    """Whether something between the relays has changed the form of the response. Section 3."""
    codings = answer.headers.get_all('content-encoding') or []
    return any(coding.strip().lower() != 'identity' for coding in codings)


def open_answer(kind: str, method: str, key: bytes, answer: HTTPResponse) -> dict:
    """Opens a response. MKE releases the content before a bad record, MTE only complete messages."""
    head: ResponseHead | None = None
    body: list[bytes] = []
    try:
        for i, content in enumerate(records.open_message(key, answer.read)):
            if i == 0:
                head = decode_response_head(content)
            else:
                body.append(content)
        expect_announced_length(method, head, body)
    except (records.RecordRefused, HeadRefused, HTTPException, ConnectionError) as error:
        released = described(head, body) if kind == 'mke' and head is not None else None
        return {'refused': str(error), 'released': released}
    return {'answer': described(head, body)}


def expect_announced_length(method: str, head: ResponseHead, body: list[bytes]) -> None:
    bodiless = method == 'HEAD' or head.status in WITHOUT_BODY
    announced = [] if bodiless else content_lengths(head.fields)
    length = sum(map(len, body))
    if (bodiless and length > 0) or any(int(value) != length for value in announced):
        raise records.RecordRefused('the body does not have the announced length')


def described(head: ResponseHead, body: list[bytes]) -> dict:
    octets = b''.join(body)
    return {**asdict(head), 'body': base64.b64encode(octets).decode(), 'pieces': len(body)}


def outcome_of(result: dict) -> Outcome:
    for end in (End.UNSENT, End.BROKEN):
        if end.value in result:
            return Outcome(end)
    error = result.get('error', {})
    return Outcome(End.ERROR, error['status'], error['p']) if 'p' in error else Outcome(End.OTHER)


def summary(result: dict) -> str:
    """The answer's status, an error as in section 8, or the word for what else became of an attempt."""
    if 'answer' in result:
        return str(result['answer']['status'])
    outcome = outcome_of(result)
    return f'{outcome.status} p={outcome.p}' if outcome.end is End.ERROR else outcome.end.value
