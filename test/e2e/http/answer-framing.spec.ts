import { beforeAll, describe, expect, it } from 'vitest';

import { RawMessageReader, statusOf, valueOf, type Field } from '../../support/raw-http.js';
import { openSocket } from '../../support/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/resources.js';

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
  /** What the upstream writes, and whether it closes its connection then. */
  readonly answer: string;
  readonly closes?: boolean;
  /** What the client gets. */
  readonly length: string | undefined;
  readonly coding?: 'chunked';
  readonly body: string;
  readonly statusIs?: number;
}

const ROWS: readonly Row[] = [
  { title: 'a known length stays known', answer: `${OK}${LENGTH}body`, length: '4', body: 'body' },
  {
    title: 'a known length of 0 stays known',
    answer: `${OK}Content-Length: 0\r\n\r\n`,
    length: '0',
    body: '',
  },
  {
    title: 'chunks stay chunks',
    answer: `${OK}${CHUNKED}4\r\nbody\r\n0\r\n\r\n`,
    length: undefined,
    coding: 'chunked',
    body: 'body',
  },
  {
    title: 'no chunks stay no chunks',
    answer: `${OK}${CHUNKED}0\r\n\r\n`,
    length: undefined,
    coding: 'chunked',
    body: '',
  },
  {
    title: 'an answer until the connection closes becomes chunks',
    answer: `${OK}\r\nbody`,
    closes: true,
    length: undefined,
    coding: 'chunked',
    body: 'body',
  },
  {
    title: 'chunks to HTTP/1.0 last until the connection closes',
    version: '1.0',
    answer: `${OK}${CHUNKED}4\r\nbody\r\n0\r\n\r\n`,
    length: undefined,
    body: 'body',
  },
  {
    title: 'a known length to HTTP/1.0 stays known',
    version: '1.0',
    answer: `${OK}${LENGTH}body`,
    length: '4',
    body: 'body',
  },
  {
    title: 'HEAD keeps the length and has no body',
    method: 'HEAD',
    answer: `${OK}Content-Length: 4711\r\n\r\n`,
    length: '4711',
    body: '',
  },
  {
    title: 'HEAD of chunks has neither length nor body',
    method: 'HEAD',
    answer: `${OK}${CHUNKED}`,
    length: undefined,
    body: '',
  },
  {
    title: '204 has neither length nor body',
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    length: undefined,
    body: '',
    statusIs: 204,
  },
  {
    title: '304 has no body',
    answer: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    length: undefined,
    body: '',
    statusIs: 304,
  },
  {
    title: '205 of length 0 stays so',
    answer: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
    length: '0',
    body: '',
    statusIs: 205,
  },
];

describe.each(['MKE', 'MTE'])('the framing of an answer in %s', (type) => {
  it.each(ROWS.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
    const { method = 'GET', version = '1.1', answer, closes = false } = row;
    tunnel.upstream.follow(async ({ whole, write, socket }) => {
      await whole;
      await write(answer);
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

describe('a connection of a client', () => {
  it('carries answers of every framing one after another', async () => {
    const rows = ROWS.filter(({ version }) => version === undefined);
    const client = forThisTest(openSocket(tunnel.outbound.port));

    for (const { method = 'GET', answer, closes = false, body } of rows) {
      tunnel.upstream.follow(async ({ whole, write, socket }) => {
        await whole;
        await write(answer);
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
