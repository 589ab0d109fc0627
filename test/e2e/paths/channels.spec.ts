import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { expectQuoted } from '../../support/assertions/troubleshooting.js';
import { request, streamRequest } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  CHANNEL_PROGRAMS,
  PROGRAMS,
  hasIntermediary,
  type Program,
} from '../../support/network/intermediaries.js';
import { listen } from '../../support/network/listen.js';
import { startPathTunnel, type PathOptions } from '../../support/tunnels/path-tunnel.js';
import { echoBody } from '../../support/upstreams/upstream.js';

const MIB = 1024 * 1024;
const HEADING = 'Requests go as messages';
const TUNNEL_PATH = '/api/mte-tunnel';
const SLOW_LIMIT_MS = 240_000;

/** Two relays with a program between them. */
async function startPath(program: Program, transport: 'auto' | 'channel', options?: PathOptions) {
  const path = forThisTest(
    await startPathTunnel(program, 'between the relays', {
      ...options,
      both: { TUNNEL_TRANSPORT: transport },
    }),
  );
  // Before the program is: Apache waits for the ends of its channels.
  forThisTest(path.outbound);
  path.upstream.handle(echoBody);
  const sockets = new Set<Socket>();
  let messages = 0;
  path.inbound.app
    .getHttpServer()
    .on('connection', (socket: Socket) => sockets.add(socket))
    .prependListener('request', ({ url }: IncomingMessage) => {
      messages += url === TUNNEL_PATH ? 1 : 0;
    });
  return {
    ...path,
    /** Connections that B has accepted from the program. */
    sockets,
    /** How many messages B has received. */
    messages: () => messages,
    post: (body: Buffer | string, headers = {}) => path.send({ method: 'POST', body, headers }),
  };
}

describe.each(CHANNEL_PROGRAMS)('%s, configured as docs/deployment.md says,', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere)('carries channels, small and large bodies at once', async () => {
    const path = await startPath(program, 'channel');
    const bodies = [16 * MIB, ...Array.from({ length: 50 }, () => 1000)].map((size) =>
      randomBytes(size),
    );

    const responses = await Promise.all(bodies.map((body) => path.post(body)));

    expect(responses.map(({ status, body }, at) => [status, body.equals(bodies[at]!)])).toEqual(
      bodies.map(() => [200, true]),
    );
    expect(path.messages()).toBe(0);
    expect(path.inbound.log.items).toContainEqual(
      expect.objectContaining({ msg: 'channel opened', role: 'inbound' }),
    );
  });

  it.skipIf(!isThere)('carries messages beside a channel', async () => {
    const path = await startPath(program, 'auto');
    await path.post('the first request pairs');
    await path.outbound.log.find(({ msg }) => msg === 'channel opened');

    // MTE is for messages only.
    const response = await path.post('content', { 'x-mte-encode-type': 'MTE' });

    expect(response.body.toString()).toBe('content');
    expect(path.messages()).toBeGreaterThan(0);
  });

  it.skipIf(!isThere)('tells relay A that a channel broke, which opens another', async () => {
    const path = await startPath(program, 'channel');
    await path.post('content');

    for (const socket of path.sockets) {
      socket.destroy();
    }

    await path.outbound.log.find(({ msg }) => msg === 'channel broke');
    await expect
      .poll(async () => (await path.post('content')).status, { timeout: 40_000 })
      .toBe(200);
  });

  it.skipIf(!isThere)(
    'tells relay B that the channels of a relay A that stops have ended',
    async () => {
      const path = await startPath(program, 'channel');
      await path.post('content');

      await path.outbound.close();

      await path.inbound.log.find(({ msg }) => /^channel (ended|broke)$/.test(msg));
    },
  );
});

/** The lines of docs/deployment.md without which a program strips the upgrade. HAProxy and Caddy need none. */
const LINES = [
  ['nginx', /^ +proxy_set_header (Upgrade|Connection) .*\n/gm],
  ['Apache', / upgrade=websocket/],
  ['Varnish', /^ {2}if \(req\.http\.upgrade\) \{[^}]*\}\n/m],
] as const;

describe.each(LINES)('%s without the lines for channels', (program, lines) => {
  it.skipIf(!hasIntermediary(program))(
    'strips the upgrade: requests go as messages, and A says once what to do',
    async () => {
      const path = await startPath(program, 'auto', {
        adjust: (block) => block.replace(lines, ''),
      });
      await path.post('content');
      const line = await path.outbound.log.find(({ msg }) => msg === 'requests go as messages');
      expect(line).toMatchObject({ level: 40, peer: path.intermediary.url });
      expect(line['reason']).toContain('docs/deployment.md');
      await expectQuoted(path.outbound, HEADING, [
        'requests go as messages',
        'something between the relays carries no WebSocket upgrade',
        "the other relay's address responded with status 566",
      ]);
      await expectQuoted(path.inbound, HEADING, ['the opening is not the WebSocket handshake']);

      for (let count = 0; count < 5; count += 1) {
        expect(await path.post('content')).toMatchObject({ status: 200 });
      }

      const lineCount = path.outbound.log.items.filter(
        ({ msg, level }) => msg === 'requests go as messages' && level === 40,
      ).length;
      expect(lineCount).toBe(1);
      expect(path.inbound.log.items.filter(({ msg }) => msg === 'channel opened')).toEqual([]);
    },
  );
});

describe.skipIf(!hasIntermediary('HAProxy'))('HAProxy that finds relay B not ready', () => {
  it('opens no connection to it, and its open channels continue', async () => {
    let status = 200;
    const health = forThisTest(
      await listen(createServer((_request, response) => response.writeHead(status).end())),
    );
    const path = await startPath('HAProxy', 'channel', {
      adjust: (block) =>
        block.replace('check inter 2s', `check port ${health.port} inter 200ms fall 1`),
    });
    await path.post('content');

    status = 503;

    const statusOfNew = async () =>
      (await request(path.intermediary.url, { path: '/api/mte-echo' })).status;
    await expect.poll(statusOfNew, { timeout: 40_000 }).toBe(503);
    expect(await path.post('content')).toMatchObject({ status: 200 });
  });
});

/** What limits how long a channel may be silent. */
const IDLE_LIMITS = [
  ['nginx', /(?<=proxy_read_timeout )1h/, 's'],
  ['HAProxy', /(?<=timeout tunnel )1h/, 's'],
  ['Apache', /(?<=TimeOut | timeout=)3600/g, ''],
  ['Varnish', /(?<=pipe_timeout=)3600/, ''],
] as const;

describe.each(IDLE_LIMITS)('%s with a limit on silence', (program, limit, unit) => {
  const isThere = hasIntermediary(program);
  const limitedTo = (seconds: number) => (block: string) =>
    block.replace(limit, `${seconds}${unit}`);

  it.skipIf(!isThere)('of a second breaks the channels, and requests still succeed', async () => {
    const path = await startPath(program, 'auto', { adjust: limitedTo(1) });
    await path.post('content');

    // Both of them: a POST on one that is about to break would be `maybe`.
    const broken = () => path.outbound.log.items.filter(({ msg }) => msg === 'channel broke');
    await expect.poll(() => broken().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);

    expect(await path.post('content')).toMatchObject({ status: 200 });
  });

  it.skipIf(!isThere || process.env['SLOW'] !== '1')(
    'of 45 s carries an event stream over a channel that is silent for 75 s',
    async () => {
      const path = await startPath(program, 'channel', { adjust: limitedTo(45) });
      const opened = new Promise<ServerResponse>((resolve) => {
        path.upstream.handle((_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
          resolve(response);
        });
      });
      const [received, response] = await Promise.all([
        streamRequest(path.entrance.url, { headers: path.clientHeaders }),
        opened,
      ]);

      await pause(75_000);
      response.end('data: 1\n\n');

      await received.until('data: 1\n\n');
      expect(await received.ended).toBe('complete');
    },
    SLOW_LIMIT_MS,
  );
});

it('the limits on silence are those of all programs that have a block of their own', () => {
  expect(IDLE_LIMITS.map(([program]) => program)).toEqual(PROGRAMS);
});
