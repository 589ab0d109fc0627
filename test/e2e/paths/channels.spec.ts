import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { request } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import {
  LARGEST_MESSAGE_BYTES,
  openChannel,
  REQUEST_FIELDS,
  startChannelServer,
  SUBPROTOCOL,
  type ChannelServer,
} from '../../support/network/bare-channels.js';
import {
  CHANNEL_PROGRAMS,
  hasIntermediary,
  startIntermediary,
  type Intermediary,
  type Program,
} from '../../support/network/intermediaries.js';

interface Path {
  readonly server: ChannelServer;
  readonly intermediary: Intermediary;
}

async function startPath(program: Program, adjust?: (block: string) => string): Promise<Path> {
  const server = forThisTest(await startChannelServer());
  return {
    server,
    intermediary: forThisTest(await startIntermediary(program, server.port, adjust)),
  };
}

async function open({ intermediary }: Path): Promise<WebSocket> {
  const channel = await openChannel(intermediary.url);
  expect(channel).toBeInstanceOf(WebSocket);
  return channel as WebSocket;
}

/** As the relays do at the orderly end of a channel. */
async function close(channel: WebSocket): Promise<void> {
  channel.close(1001);
  expect((await once(channel, 'close'))[0]).toBe(1001);
}

describe.each(CHANNEL_PROGRAMS)('%s, configured as docs/deployment.md says,', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere)('carries a WebSocket with its largest messages, both ways', async () => {
    const path = await startPath(program);
    const channel = await open(path);
    const messages = [1, 1000, LARGEST_MESSAGE_BYTES].map((size) => randomBytes(size));

    for (const message of messages) {
      channel.send(message);
      expect((await once(channel, 'message'))[0]).toEqual(message);
    }

    expect(channel.protocol).toBe(SUBPROTOCOL);
    expect(path.server.handshakes).toEqual([
      expect.objectContaining({ ...REQUEST_FIELDS, 'sec-websocket-protocol': SUBPROTOCOL }),
    ]);
    await close(channel);
  });

  it.skipIf(!isThere)('carries requests beside a WebSocket', async () => {
    const path = await startPath(program);
    const channel = await open(path);

    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        request(path.intermediary.url, { method: 'POST', path: '/x', body: String(index) }),
      ),
    );

    expect(responses.map(({ body }) => body.toString())).toEqual(
      responses.map((_, index) => `HTTP POST ${index}`),
    );
    await close(channel);
  });

  it.skipIf(!isThere)('passes the end of a WebSocket on, in both directions', async () => {
    const path = await startPath(program);
    const [first, second] = [await open(path), await open(path)];
    const [atServer] = path.server.channels;

    const ended = once(atServer!, 'close');
    first.terminate();
    await ended;

    const [other] = path.server.channels;
    const heard = once(second, 'close');
    other!.terminate();
    expect((await heard)[0]).toBe(1006);
  });
});

/** The lines of docs/deployment.md without which a program strips the upgrade. HAProxy needs none. */
const LINES = [
  ['nginx', /^ +proxy_set_header (Upgrade|Connection) .*\n/gm],
  ['Apache', / upgrade=websocket/],
  ['Varnish', /^ {2}if \(req\.http\.upgrade\) \{[^}]*\}\n/m],
] as const;

describe.each(LINES)('%s without the lines for channels', (program, lines) => {
  it.skipIf(!hasIntermediary(program))('strips the upgrade of a handshake', async () => {
    const path = await startPath(program, (block) => block.replace(lines, ''));

    expect(await openChannel(path.intermediary.url)).toBe(200);

    expect(path.server.handshakes).toEqual([]);
  });
});

/** The line that limits how long a WebSocket may be silent, and what it becomes. */
const IDLE_LIMITS = [
  ['nginx', 'proxy_read_timeout 1h', 'proxy_read_timeout 1s'],
  ['HAProxy', 'timeout tunnel 1h', 'timeout tunnel 1s'],
  ['Apache', /3600/g, '1'],
  ['Varnish', 'pipe_timeout=3600', 'pipe_timeout=1'],
] as const;

describe.each(IDLE_LIMITS)('%s with a shorter limit than %s', (program, line, shorter) => {
  it.skipIf(!hasIntermediary(program))('ends a WebSocket that is silent', async () => {
    const path = await startPath(program, (block) => block.replace(line, shorter));
    const channel = await open(path);

    expect((await once(channel, 'close'))[0]).toBe(1006);
  });
});
