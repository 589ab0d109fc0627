/** The heads of upgraded connections, and heads that must be refused: docs/protocol.md, section 11.8. */
import { requestHead, responseHead } from './messages.mjs';

const known = (encode) => (head) => ({ head, head_bytes: encode(head) });
const refused =
  (encode, head) =>
  ([rule, ...changes]) => ({ rule, head_bytes: encode(Object.assign({}, head, ...changes)) });

const webSocketKey = ['sec-websocket-key', 'AAECAwQFBgcICQoLDA0ODw=='];
const asks = {
  method: 'GET',
  scheme: 'https',
  authority: 'api.example',
  path: '/chat?room=1',
  fields: ['sec-websocket-version', '13', ...webSocketKey, 'upgrade', 'websocket'],
};
const accept = ['sec-websocket-accept', 'Bz3qJYTGdOe8fuSpLoseDiLKDrk='];
const switches = { status: 101, fields: [...accept, 'upgrade', 'websocket'] };
const upgrade = ['upgrade', 'websocket'];
const withFields = (...fields) => ({ fields });

export const upgradeHeads = {
  requests: [
    asks,
    { ...asks, fields: ['upgrade', 'WebSocket', 'cookie', 'a=1', 'cookie', 'b=2', 'x', '\xe9'] },
    { ...asks, fields: ['x-mte-client-address', '[2001:db8::1]', 'upgrade', 'websocket'] },
    { ...asks, fields: ['upgrade', 'websocket', 'x-mte-client', 'Shop_2-eu'] },
    {
      method: 'POST',
      scheme: 'http',
      authority: '',
      path: '/containers/c1/attach?stream=1',
      fields: ['content-length', '0', 'upgrade', 'tcp'],
    },
    {
      method: 'POST',
      scheme: 'http',
      authority: 'docker',
      path: '/exec/e1/start',
      fields: ['content-type', 'application/json', 'content-length', '32768', 'upgrade', 'tcp'],
    },
    { ...asks, method: 'OPTIONS', fields: ['upgrade', 'IRC/6.9'] },
  ].map(known(requestHead)),
  switching: [
    switches,
    { status: 101, fields: ['upgrade', 'WebSocket', 'set-cookie', 'a=1', 'set-cookie', 'b=2'] },
    { status: 101, fields: ['upgrade', 'tcp'] },
  ].map(known(responseHead)),
  refused_requests: [
    ['no upgrade', withFields(...webSocketKey)],
    ['two upgrade fields', withFields('upgrade', 'websocket', 'upgrade', 'websocket')],
    ['two protocols', withFields('upgrade', 'websocket, h2c')],
    ['no protocol', withFields('upgrade', '')],
    ['not a protocol', withFields('upgrade', 'web socket')],
    ['not a protocol', withFields('upgrade', ' websocket')],
    ['a protocol without its version', withFields('upgrade', 'irc/')],
    ['a name with capitals', withFields('Upgrade', 'websocket')],
    ['too long a body', withFields('content-length', '32769', 'upgrade', 'websocket')],
    ['a hop-by-hop field', withFields('connection', 'upgrade', 'upgrade', 'websocket')],
    ['a host', withFields('host', 'api.example', 'upgrade', 'websocket')],
    ['a field of the relay', withFields('x-mte-upstream', 'x', 'upgrade', 'websocket')],
    ['two names of the client', withFields(...['x-mte-client', 'a', 'x-mte-client', 'a'], ...upgrade)],
    ['not a name of a client', withFields('x-mte-client', 'a b', ...upgrade)],
    ['CONNECT', { method: 'CONNECT' }],
    ['a path with a fragment', { path: '/a#b' }],
  ].map(refused(requestHead, asks)),
  refused_switching: [
    ['another status', { status: 100 }],
    ['another status', { status: 102 }],
    ['another status', { status: 200 }],
    ['no upgrade', withFields(...accept)],
    ['two upgrade fields', withFields('upgrade', 'websocket', 'upgrade', 'websocket')],
    ['two protocols', withFields('upgrade', 'websocket,tcp')],
    ['no protocol', withFields('upgrade', '')],
    ['content-length', withFields('content-length', '0', 'upgrade', 'websocket')],
    ['a hop-by-hop field', withFields('connection', 'upgrade', 'upgrade', 'websocket')],
    ['a field of the relay', withFields('x-mte-relay', '1', 'upgrade', 'websocket')],
  ].map(refused(responseHead, switches)),
};
