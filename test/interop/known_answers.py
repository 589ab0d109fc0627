"""The known answers of test/vectors, and what the self-tests compare with."""

import json
import re
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / 'vectors'


def _read(name: str) -> dict:
    return json.loads((_FOLDER / name).read_text(encoding='utf-8'))


ONE = _read('protocol-1.json')
MORE = _read('protocol-1-more.json')
CHANNEL = _read('channel-1.json')
VERDICTS = [_read('protocol-1-cases.json'), _read('protocol-1-more-cases.json')]


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def repeated_octets(text: str) -> bytes:
    """As in the vectors of channels: `xx{n}` stands for the octet xx n times."""
    return octets(re.sub(r'(..)\{(\d+)\}', lambda match: match[1] * int(match[2]), text))


def expect(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f'expected {expected!r}, got {actual!r}')


def expect_refusal(error: type[Exception], call) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f'{error.__name__} was not raised')
