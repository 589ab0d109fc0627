"""
The commands of outbound.py for upgraded connections, in the form that it describes:

    {"do": "upgrade", "method": "GET", "path": "/", "fields": [["upgrade", "websocket"]]}
    {"do": "outcome"}
    {"do": "push", "pieces": ["aGk="], "ends": false}
    {"do": "pull", "octets": 2}
    {"do": "reset"}

`upgrade` opens a channel of type conn and asks for the upgrade, once. "pieces" are the body of the request, if it has one. Its result is `switched` with the 101, `answer` with
any other response, or what became of the request, with `forwarded`. `push` sends octets of the client, and with "ends"
its FIN. `pull` takes what has come once it is so much, or no more can come. `reset` is a client that is gone. The channel
ends with its stream; `end` waits for that.

With "waits": false the result of `upgrade` is only `asked`, and `outcome` waits for the rest. To `push` before is a fault that
an honest sender never commits, as is "unchecked": true, which sends a head that breaks a rule. "seq" and "age" are faults
of the opening, as in `open`.
"""

import base64

from channel_commands import OutboundChannels, message_of
from channel_outbound import OutboundChannel
from head import HeadRefused, request_octets
from outbound_upgrade import OutboundUpgrade
from upgrade_heads import encode_upgrade_request


class OutboundUpgrades:
    """At most one upgraded connection, in the channel that was opened last."""

    def __init__(self, channels: OutboundChannels) -> None:
        self._channels = channels
        self._channel: OutboundChannel | None = None
        self._upgrade: OutboundUpgrade | None = None

    def carry_out(self, name: str, command: dict) -> dict:
        if name == 'upgrade':
            return self._ask(command)
        with self._channel.link.changed:
            result = self._do(name, command, self._upgrade)
            self._channel.link.changed.notify_all()
        return result

    def _do(self, name: str, command: dict, upgrade: OutboundUpgrade) -> dict:
        match name:
            case 'outcome':
                return self._outcome()
            case 'push':
                upgrade.send(octets_of(command), bool(command.get('ends')))
            case 'pull':
                self._channel.wait_for(lambda: upgrade.has_received(command['octets']))
                return upgrade.taken()
            case 'reset':
                upgrade.reset()
        return {}

    def _ask(self, command: dict) -> dict:
        """A head that breaks a rule never becomes a stream; its client is told so before anything is opened."""
        head, pieces = message_of(command)
        try:
            encoded = encode_upgrade_request(head)
        except HeadRefused as refused:
            if not command.pop('unchecked', False):
                return {'invalid': str(refused), 'forwarded': 'no'}
            encoded = request_octets(head)
        opened, channel = self._channels.open_conn(faults_of(command))
        if channel is None:
            return opened
        with channel.link.changed:
            self._channel = channel
            self._upgrade = OutboundUpgrade(channel.end, head, encoded, b''.join(pieces))
            channel.carry(self._upgrade)
            return self._outcome() if command.get('waits', True) else {'asked': True}

    def _outcome(self) -> dict:
        upgrade = self._upgrade
        self._channel.wait_for(lambda: upgrade.is_switched or upgrade.result is not None)
        return upgrade.outcome()


def octets_of(command: dict) -> bytes:
    return b''.join(base64.b64decode(piece) for piece in command['pieces'])


def faults_of(command: dict) -> dict:
    return {name: command[name] for name in ('seq', 'age') if name in command}
