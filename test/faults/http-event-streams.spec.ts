import { createServer, type ServerResponse } from 'node:http';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRequest } from '../support/clients/client.js';
import { inMib, peakResidentBytes } from '../support/processes/process-memory.js';
import { OpenSockets } from '../support/network/open-sockets.js';
import { listen } from '../support/network/listen.js';
import { openSocket } from '../support/network/raw-socket.js';
import { TOKEN } from '../support/relays/relay.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const STREAMS = 1_000;
/** How many connections are opened at a time. */
const BATCH = 100;
const MAX_RESIDENT_BYTES = 400 * 1024 * 1024;
const LIMIT_MS = 10 * 60_000;

const shared = sharedResources();
const streams: ServerResponse[] = [];
const upstream = createServer((request, response) => {
  if (request.url === '/silent') {
    response.writeHead(200, { 'content-type': 'text/plain' }).write('part');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: first\n\n');
  streams.push(response);
});
const sockets = new OpenSockets(upstream);
let inbound: RelayProcess;
let outbound: RelayProcess;

beforeAll(async () => {
  const { url } = shared(await listen(upstream));
  const limits = { IDLE_TIMEOUT_MS: '1000' };
  inbound = shared(await startRelayProcess({ ...limits, UPSTREAM: url }));
  outbound = shared(await startRelayProcess(limits));
});

const headers = () => ({ 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url });

const open = async () => {
  const client = openSocket(outbound.port);
  const fields = Object.entries(headers()).map(([name, value]) => `${name}: ${value}\r\n`);
  client.write(`GET /events HTTP/1.1\r\nhost: a\r\n${fields.join('')}\r\n`);
  await client.until('data: first\n\n');
  return client;
};

describe('1,000 event streams through one pair of relays', () => {
  it(
    'outlive a silence that ends other responses, and no relay ever has more than 400 MiB resident',
    async () => {
      const clients = [];
      for (let at = 0; at < STREAMS; at += BATCH) {
        clients.push(...(await Promise.all(Array.from({ length: BATCH }, open))));
      }
      // A silent response of another type is ended by the time limit: once it has ended, the limit has passed.
      const { message } = await openRequest(outbound.url, { path: '/silent', headers: headers() });
      message.on('error', () => undefined).resume();
      await new Promise((resolve) => message.once('close', resolve));

      expect(streams).toHaveLength(STREAMS);
      for (const stream of streams) {
        stream.write('data: second\n\n');
      }
      await Promise.all(clients.map((client) => client.until('data: second\n\n')));

      const peaks = [outbound, inbound].map(peakResidentBytes);
      console.info(
        `${STREAMS} event streams, peaks: ${peaks.map(inMib).join(' (outbound), ')} (inbound)`,
      );
      expect(Math.max(...peaks)).toBeLessThan(MAX_RESIDENT_BYTES);

      await Promise.all(clients.map((client) => client.close()));
      await sockets.until(0);
    },
    LIMIT_MS,
  );
});
