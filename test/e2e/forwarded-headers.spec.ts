import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fieldValues, request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { ENCODE_TYPES } from '../support/tunnels/transport.js';

const ON = { FORWARDED_HEADERS: 'true', PASS_THROUGH_ROUTES: '/open/*' };
const HOST = 'Registry.example:5000';
/** What a client may claim, in every spelling that a server may take for it. */
const FORGED = {
  forwarded: 'for=forged',
  'x-forwarded-for': 'forged',
  'X-Forwarded-Host': ['forged', 'forged'],
  x_forwarded_proto: 'forged',
  'x.forwarded.port': 'forged',
  'x-forwarded-ssl': 'forged',
  'x-forwarded-server': 'forged',
  'x-mte-client-address': '203.0.113.7',
};

const shared = sharedResources();
/** Both relays have FORWARDED_HEADERS. */
let tunnel: Tunnel;
/** An outbound relay without FORWARDED_HEADERS. */
let silent: TestRelay;
/** A relay without FORWARDED_HEADERS in front of the same API. */
let off: TestRelay;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: ON }));
  silent = shared(await startRelay());
  off = shared(await startRelay({ UPSTREAM: tunnel.upstream.url }));
});

beforeEach(() => {
  tunnel.upstream.forget();
});

/** The fields in which the API sees its client described, with names as relays write them. */
const described = () => {
  const [received] = tunnel.upstream.requests.items;
  return [
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-forwarded-proto',
  ].map((name) => fieldValues(received!.rawHeaders, name).join(', '));
};
const everything = () => tunnel.upstream.requests.items[0]!.rawHeaders.join('\n');

describe('FORWARDED_HEADERS of both relays (#58)', () => {
  it.each(ENCODE_TYPES)('describe the client to the API, whatever it claims (%s)', async (type) => {
    await tunnel.send({ headers: { ...FORGED, host: HOST, 'x-mte-encode-type': type } });

    expect(described()).toEqual([
      `for=127.0.0.1;host="${HOST}";proto=http`,
      ...['127.0.0.1', HOST, '5000', 'http'],
    ]);
    expect(everything()).not.toMatch(/forged|203\.0\.113\.7|x-mte/i);
  });
});

describe('FORWARDED_HEADERS of the relay in front of the API alone (#58)', () => {
  it('do not believe an address that a client states', async () => {
    await request(silent.url, {
      headers: { ...tunnel.clientHeaders, ...FORGED, host: HOST },
    });

    expect(described()).toEqual([
      `for=unknown;host="${HOST}";proto=http`,
      ...['', HOST, '5000', 'http'],
    ]);
    expect(everything()).not.toMatch(/forged|203\.0\.113\.7|x-mte/i);
  });
});

describe('FORWARDED_HEADERS of the outbound relay alone', () => {
  it('change nothing that the API receives', async () => {
    await tunnel.send({
      headers: { 'x-mte-upstream': off.url, 'x-forwarded-for': '192.0.2.9' },
    });

    expect(described()).toEqual(['', '192.0.2.9', '', '', '']);
    expect(everything()).not.toMatch(/x-mte/i);
  });
});

describe('FORWARDED_HEADERS on a pass-through route (#58)', () => {
  it('state the address of the requester, and no host that RELAY_AUDIENCE does not have', async () => {
    await request(tunnel.inbound.url, { path: '/open/a', headers: { ...FORGED, host: 'evil' } });

    expect(described()).toEqual(['for=127.0.0.1;proto=http', '127.0.0.1', '', '', 'http']);
    expect(everything()).not.toMatch(/forged|evil|203\.0\.113\.7|x-mte/i);
  });
});
