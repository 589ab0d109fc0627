import { beforeEach, describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { headBytes } from '../support/network/raw-http.js';
import { openSocket, startRawServer, type RawSocket } from '../support/network/raw-socket.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { GRANTED, UPGRADE } from '../support/tunnels/octet-tunnel.js';

const CONNECTIONS = 3;
const LIMITS = {
  TUNNEL_TRANSPORT: 'auto',
  SHUTDOWN_DELAY_MS: '0',
  SHUTDOWN_TIMEOUT_MS: '5000',
};

let outbound: RelayProcess;
let inbound: RelayProcess;
let clients: RawSocket[];
let upstreams: RawSocket[];

beforeEach(async () => {
  upstreams = [];
  const api = forThisTest(
    await startRawServer((connection) => {
      upstreams.push(connection);
      void connection.until('\r\n\r\n').then(() => {
        connection.write(GRANTED);
      });
    }),
  );
  inbound = forThisTest(await startRelayProcess({ ...LIMITS, UPSTREAM: api.url }));
  outbound = forThisTest(await startRelayProcess(LIMITS));
  clients = Array.from({ length: CONNECTIONS }, () => forThisTest(openSocket(outbound.port)));
  for (const client of clients) {
    client.write(
      headBytes('GET /ws HTTP/1.1', [
        ['Host', 'a'],
        ['X-MTE-Outbound-Token', TOKEN],
        ['X-MTE-Upstream', inbound.url],
        ...UPGRADE,
      ]),
    );
    await client.until('HTTP/1.1 101 ');
  }
});

describe.each(['outbound', 'inbound'] as const)('an %s relay that is told to stop', (role) => {
  it('lets upgraded connections go on, resets those that are left, and says how many', async () => {
    const relay = role === 'outbound' ? outbound : inbound;
    const stopped = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    clients[0]!.write('last words');
    await Promise.any(upstreams.map((upstream) => upstream.until('last words')));

    const ends = [...clients, ...upstreams].map((socket) => socket.ended);
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['reset']));
    expect((await stopped).exitCode).toBe(0);
    const line = await relay.log.find(({ msg }) => msg.includes('cut off'));
    expect(line.msg).toBe(
      `${CONNECTIONS} upgraded connections were cut off by SHUTDOWN_TIMEOUT_MS`,
    );
  });

  it('does not wait for SHUTDOWN_TIMEOUT_MS once all have ended in order', async () => {
    const relay = role === 'outbound' ? outbound : inbound;
    const stopped = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    for (const upstream of upstreams) {
      upstream.socket.end();
    }

    expect(new Set(await Promise.all(clients.map((client) => client.ended)))).toEqual(
      new Set(['end']),
    );
    expect((await stopped).exitCode).toBe(0);
    expect(relay.log.items.filter(({ msg }) => msg.includes('cut off'))).toEqual([]);
  });
});
