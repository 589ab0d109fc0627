"""How inbound.py breaks the rules of section 11.8 of docs/protocol.md, as the path of the request says."""

from head import Fields, ResponseHead, response_octets
from upgrade_heads import SWITCHING

ACCEPTS: Fields = [('upgrade', 'websocket')]
WRONG_HEADS = {
    # The status, the fields, and whether UPGRADE is set.
    'protocol': (SWITCHING, [('upgrade', 'irc')], True),
    'list': (SWITCHING, [('upgrade', 'websocket, irc')], True),
    'twice': (SWITCHING, [*ACCEPTS, *ACCEPTS], True),
    'nothing': (SWITCHING, [], True),
    'length': (SWITCHING, [*ACCEPTS, ('content-length', '0')], True),
    'status': (200, ACCEPTS, True),
    'flag': (SWITCHING, ACCEPTS, False),
    'field': (200, ACCEPTS, False),
}


def wrong_head(path: str) -> tuple[bytes, bool] | None:
    """The head that answers /wrong/<name>, and whether it comes with UPGRADE."""
    kind, _, name = path.removeprefix('/').partition('/')
    if kind != 'wrong':
        return None
    status, fields, upgrades = WRONG_HEADS[name]
    return response_octets(ResponseHead(status, fields)), upgrades


def reset_code(path: str) -> int | None:
    """What answers /reset/<code> in place of a response."""
    kind, _, code = path.removeprefix('/').partition('/')
    return int(code) if kind == 'reset' and code.isdecimal() else None
