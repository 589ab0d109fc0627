import { beforeAll, describe, expect, it } from 'vitest';

import { RawMessageReader, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { ENCODE_TYPES } from '../../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = 'Content-Length: 4\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

interface Row {
  readonly title: string;
  readonly method?: string;
  readonly version?: string;
  /** What the upstream writes, and whether it closes its connection afterwards. */
  readonly response: string;
  readonly closes?: boolean;
  /** What the client receives. */
  readonly length: string | undefined;
  readonly coding?: 'chunked';
  readonly body: string;
  readonly statusIs?: number;
}

const ROWS: readonly Row[] = [
  { title: 'keeps a known length', response: `${OK}${LENGTH}body`, length: '4', body: 'body' },
  {
    title: 'keeps a known length of 0',
    response: `${OK}Content-Length: 0\r\n\r\n`,
    length: '0',
    body: '',
  },
  {
    title: 'keeps chunks',
    response: `${OK}${CHUNKED}4\r\nbody\r\n0\r\n\r\n`,
    length: undefined,
    coding: 'chunked',
    body: 'body',
  },
  {
    title: 'keeps an empty chunked body chunked',
    response: `${OK}${CHUNKED}0\r\n\r\n`,
    length: undefined,
    coding: 'chunked',
    body: '',
  },
  {
    title: 'turns a body delimited by the end of the connection into chunks',
    response: `${OK}\r\nbody`,
    closes: true,
    length: undefined,
    coding: 'chunked',
    body: 'body',
  },
  {
    title: 'turns chunks into a body delimited by the end of the connection for HTTP/1.0',
    version: '1.0',
    response: `${OK}${CHUNKED}4\r\nbody\r\n0\r\n\r\n`,
    length: undefined,
    body: 'body',
  },
  {
    title: 'keeps a known length for HTTP/1.0',
    version: '1.0',
    response: `${OK}${LENGTH}body`,
    length: '4',
    body: 'body',
  },
  {
    title: 'keeps the length of a response to HEAD, which has no body',
    method: 'HEAD',
    response: `${OK}Content-Length: 4711\r\n\r\n`,
    length: '4711',
    body: '',
  },
  {
    title: 'adds no length to a chunked response to HEAD',
    method: 'HEAD',
    response: `${OK}${CHUNKED}`,
    length: undefined,
    body: '',
  },
  {
    title: 'removes the length of a 204',
    response: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    length: undefined,
    body: '',
    statusIs: 204,
  },
  {
    title: 'adds no length to a 304',
    response: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    length: undefined,
    body: '',
    statusIs: 304,
  },
  {
    title: 'keeps the length 0 of a 205',
    response: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
    length: '0',
    body: '',
    statusIs: 205,
  },
];

describe.each(ENCODE_TYPES)('a tunnel (%s)', (type) => {
  it.each(ROWS.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
    const { method = 'GET', version = '1.1', response, closes = false } = row;
    tunnel.upstream.follow(async ({ whole, write, socket }) => {
      await whole;
      await write(response);
      if (closes) {
        socket.end();
      }
    });

    const got = await tunnel.exchange(
      method,
      tunnel.head(`${method} /framing HTTP/${version}`, ...close(type)),
    );

    expect(got.isComplete).toBe(true);
    expect(statusOf(got.head!)).toBe(row.statusIs ?? 200);
    expect(valueOf(got.head!.fields, 'content-length')).toBe(row.length);
    expect(valueOf(got.head!.fields, 'transfer-encoding')).toBe(row.coding);
    expect(got.body.toString()).toBe(row.body);
  });
});

describe('a client connection', () => {
  it('carries responses of every framing one after another', async () => {
    const rows = ROWS.filter(({ version }) => version === undefined);
    const client = forThisTest(openSocket(tunnel.outbound.port));

    for (const { method = 'GET', response, closes = false, body } of rows) {
      tunnel.upstream.follow(async ({ whole, write, socket }) => {
        await whole;
        await write(response);
        if (closes) {
          socket.end();
        }
      });
      const reader = new RawMessageReader({ kind: 'response', method });
      const complete = new Promise<void>((resolve) => {
        const take = (chunk: Buffer): void => {
          reader.push(chunk);
          if (reader.isComplete) {
            client.socket.off('data', take);
            resolve();
          }
        };
        client.socket.on('data', take);
      });
      client.write(tunnel.head(`${method} /next HTTP/1.1`));
      await complete;

      expect(reader.body.toString()).toBe(body);
      expect(reader.rest).toHaveLength(0);
    }
  });
});

function close(type: string): Field[] {
  return [
    ['X-MTE-Encode-Type', type],
    ['Connection', 'close'],
  ];
}
