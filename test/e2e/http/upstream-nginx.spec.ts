import { mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { beforeAll, describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { comparableResponse } from '../../support/assertions/http-differences.js';
import { hasNginx, startNginx, type Nginx } from '../../support/upstreams/nginx.js';
import { exchangeBytes, type ReceivedResponse } from '../../support/clients/raw-client.js';
import { headBytes, statusOf, valueOf, type Field } from '../../support/network/raw-http.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { ENCODE_TYPES } from '../../support/tunnels/transport.js';

const FILE = bytesOfSize(300_000);
const TEXT = 'the same again and again. '.repeat(400);
const MODIFIED = new Date('2026-01-02T03:04:05Z');

const shared = sharedResources();
let nginx: Nginx;
let inbound: TestRelay;
let outbound: TestRelay;

const isThere = hasNginx();

beforeAll(async () => {
  if (!isThere) {
    return;
  }
  nginx = shared(await startNginx());
  await Promise.all(['folder', 'dav', 'small'].map((name) => mkdir(join(nginx.root, name))));
  await writeFile(join(nginx.root, 'file.bin'), FILE);
  await writeFile(join(nginx.root, 'page.html'), TEXT);
  await writeFile(join(nginx.root, 'empty.txt'), '');
  await Promise.all(
    ['file.bin', 'page.html', 'empty.txt'].map((name) =>
      utimes(join(nginx.root, name), MODIFIED, MODIFIED),
    ),
  );
  inbound = shared(await startRelay({ UPSTREAM: nginx.url }));
  outbound = shared(await startRelay());
});

/** The host is that of nginx with and without the tunnel, since nginx builds absolute redirects from it. */
const host = (): Field => ['Host', new URL(nginx.url).host];
const CLOSE: Field = ['Connection', 'close'];

type Fields = readonly Field[];

const exchange = (
  port: number,
  line: string,
  fields: Fields,
  body: Buffer,
): Promise<ReceivedResponse> =>
  exchangeBytes({
    port,
    method: line.split(' ')[0] ?? '',
    bytes: [headBytes(`${line} HTTP/1.1`, [host(), ...fields, CLOSE]), body],
  });

const directly = (line: string, fields: Fields = [], body: Buffer = Buffer.alloc(0)) =>
  exchange(nginx.port, line, fields, body);

const throughTunnel = (
  line: string,
  fields: Fields = [],
  body: Buffer = Buffer.alloc(0),
  type = 'MKE',
) =>
  exchange(
    outbound.port,
    line,
    [
      ['X-MTE-Outbound-Token', TOKEN],
      ['X-MTE-Upstream', inbound.url],
      ['X-MTE-Encode-Type', type],
      ...fields,
    ],
    body,
  );

/** Replaces what always differs between two consecutive responses: the date and the multipart boundary. */
const comparable = (response: ReceivedResponse) => {
  const { fields, body, ...rest } = comparableResponse(response);
  const boundary = (text: string): string => text.replace(/\b\d{20}\b/g, '<boundary>');
  return {
    ...rest,
    body: boundary(body),
    fields: fields.map(([name, value]) => [name, name === 'date' ? '<date>' : boundary(value)]),
  };
};

const LAST_MODIFIED = 'Fri, 02 Jan 2026 03:04:05 GMT';
/** nginx builds it from the modification time and the length. */
const ETAG = `"${(MODIFIED.getTime() / 1000).toString(16)}-${FILE.length.toString(16)}"`;

const READS: readonly [what: string, status: number, line: string, ...fields: Field[]][] = [
  ['a file', 200, 'GET /file.bin'],
  ['the head of a file', 200, 'HEAD /file.bin'],
  ['an empty file', 200, 'GET /empty.txt'],
  ['a first range', 206, 'GET /file.bin', ['Range', 'bytes=0-99']],
  ['a range to the end', 206, 'GET /file.bin', ['Range', 'bytes=299900-']],
  ['the last bytes', 206, 'GET /file.bin', ['Range', 'bytes=-1']],
  ['three ranges', 206, 'GET /file.bin', ['Range', 'bytes=0-0,10-19,-5']],
  ['a range beyond the end', 416, 'GET /file.bin', ['Range', 'bytes=300000-']],
  ['an invalid range', 416, 'GET /file.bin', ['Range', 'bytes=9-1']],
  ['the head of a range', 206, 'HEAD /file.bin', ['Range', 'bytes=0-99']],
  [
    'a range of the current version',
    206,
    'GET /file.bin',
    ['Range', 'bytes=0-9'],
    ['If-Range', ETAG],
  ],
  ['a range of another version', 200, 'GET /file.bin', ['Range', 'bytes=0-9'], ['If-Range', '"x"']],
  ['a file that was not modified', 304, 'GET /file.bin', ['If-Modified-Since', LAST_MODIFIED]],
  ['a file with a matching tag', 304, 'GET /file.bin', ['If-None-Match', ETAG]],
  ['a file that matches any tag', 304, 'GET /file.bin', ['If-None-Match', '*']],
  ['a file with no matching tag', 200, 'GET /file.bin', ['If-None-Match', '"x", W/"y"']],
  ['a file that must have another tag', 412, 'GET /file.bin', ['If-Match', '"x"']],
  [
    'a file that must be older',
    412,
    'GET /file.bin',
    ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:01 GMT'],
  ],
  ['a gzip response', 200, 'GET /page.html', ['Accept-Encoding', 'gzip']],
  ['the head of a gzip response', 200, 'HEAD /page.html', ['Accept-Encoding', 'gzip']],
  ['a page', 200, 'GET /page.html'],
  ['a listing', 200, 'GET /folder/'],
  ['a folder without its slash', 301, 'GET /folder'],
  ['a missing file', 404, 'GET /nothing'],
  ['a method that is not allowed', 405, 'POST /file.bin', ['Content-Length', '0']],
  ['a path that leaves the root', 400, 'GET /../../etc/passwd'],
  ['a path with a NUL', 400, 'GET /%00'],
  ['a path of 20 KiB', 414, `GET /${'a'.repeat(20_000)}`],
  ['a field of 40 KiB', 400, 'GET /', ['X-Long', 'a'.repeat(40_000)]],
];

describe.skipIf(!isThere)('nginx as an upstream', () => {
  describe.each(ENCODE_TYPES)('read through the tunnel (%s)', (type) => {
    it.each(READS)(
      'gives the same response as on a direct connection: %s (%i)',
      async (_what, status, line, ...fields) => {
        const without = await directly(line, fields);
        const within = await throughTunnel(line, fields, Buffer.alloc(0), type);

        expect(statusOf(without.head!)).toBe(status);
        expect(comparable(within)).toEqual(comparable(without));
      },
    );
  });

  it('sends a gzip response that the client can decode', async () => {
    const { head, body } = await throughTunnel('GET /page.html', [['Accept-Encoding', 'gzip']]);

    expect(valueOf(head!.fields, 'content-encoding')).toBe('gzip');
    expect(valueOf(head!.fields, 'etag')).toMatch(/^W\//);
    expect(gunzipSync(body).toString()).toBe(TEXT);
  });

  it('serves WebDAV through the tunnel', async () => {
    const dav = async (line: string, fields: Fields = [], body = '') => {
      const length: Field = ['Content-Length', String(Buffer.byteLength(body))];
      const response = await throughTunnel(line, [...fields, length], Buffer.from(body));
      return response.head === undefined ? 0 : statusOf(response.head);
    };

    expect(await dav('MKCOL /dav/a/')).toBe(201);
    expect(await dav('MKCOL /dav/a/')).toBe(405);
    expect(await dav('PUT /dav/a/one.txt', [], 'one')).toBe(201);
    expect(await dav('PUT /dav/a/one.txt', [], 'changed')).toBe(204);
    expect(await dav('COPY /dav/a/one.txt', [['Destination', '/dav/a/two.txt']])).toBe(204);
    expect(
      await dav('COPY /dav/a/one.txt', [
        ['Destination', '/dav/a/two.txt'],
        ['Overwrite', 'F'],
      ]),
    ).toBe(412);
    expect(await dav('MOVE /dav/a/one.txt', [['Destination', '/dav/a/three.txt']])).toBe(204);
    expect(await dav('DELETE /dav/a/two.txt')).toBe(204);
    expect(await dav('DELETE /dav/a/two.txt')).toBe(404);

    expect(await readdir(join(nginx.root, 'dav/a'))).toEqual(['three.txt']);
    expect(await readFile(join(nginx.root, 'dav/a/three.txt'), 'utf8')).toBe('changed');
  });

  it('lists, locks and unlocks WebDAV files through the tunnel', async () => {
    await writeFile(join(nginx.root, 'dav/locked.txt'), 'x');
    const lock =
      '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';

    const listed = await throughTunnel('PROPFIND /dav/', [['Depth', '1']]);
    const locked = await throughTunnel(
      'LOCK /dav/locked.txt',
      [['Content-Length', String(lock.length)]],
      Buffer.from(lock),
    );
    const token = valueOf(locked.head!.fields, 'lock-token') ?? '';
    const refused = await throughTunnel(
      'PUT /dav/locked.txt',
      [['Content-Length', '1']],
      Buffer.from('y'),
    );
    const unlocked = await throughTunnel('UNLOCK /dav/locked.txt', [['Lock-Token', token]]);

    expect(statusOf(listed.head!)).toBe(207);
    expect(listed.body.toString()).toContain('<D:href>/dav/locked.txt</D:href>');
    expect([locked, refused, unlocked].map(({ head }) => statusOf(head!))).toEqual([200, 423, 204]);
  });

  it.each(ENCODE_TYPES)(
    'stores an upload of 8 MiB unchanged, both chunked and of known length (%s)',
    async (type) => {
      const body = bytesOfSize(8 * 1024 * 1024);
      const size = body.length.toString(16);
      const framed = Buffer.concat([
        Buffer.from(`${size}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);

      const [known, unknown] = await Promise.all([
        throughTunnel(`PUT /dav/${type}.1`, [['Content-Length', String(body.length)]], body, type),
        throughTunnel(`PUT /dav/${type}.2`, [['Transfer-Encoding', 'chunked']], framed, type),
      ]);

      expect([known, unknown].map(({ head }) => statusOf(head!))).toEqual([201, 201]);
      for (const name of [`${type}.1`, `${type}.2`]) {
        expect((await readFile(join(nginx.root, 'dav', name))).equals(body)).toBe(true);
      }
    },
  );

  it('refuses an upload for its length, and the client receives the refusal', async () => {
    const body = bytesOfSize(2_000_000);

    const response = await throughTunnel(
      'PUT /small/file',
      [['Content-Length', String(body.length)]],
      body,
    );

    expect(statusOf(response.head!)).toBe(413);
    expect(response.body.toString()).toContain('413 Request Entity Too Large');
  });
});
