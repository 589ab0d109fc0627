import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { curl, hasCurl } from '../../support/clients/curl.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { valueOf } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk, type Script } from '../../support/upstreams/scripted-upstream.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';

const MIB = 1024 * 1024;

if (!hasCurl) {
  console.warn('curl is not installed: the tests with curl are skipped.');
}

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

const url = (path: string): string => `${tunnel.outbound.url}${path}`;

/** The fields of a client except host, which curl adds. */
const token = (): string[] =>
  tunnel.fields.slice(1).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);

const run = (args: readonly string[], stdin?: Readable | Buffer) =>
  curl([...token(), ...args], stdin);

const response =
  (head: string, body: Buffer | string = ''): Script =>
  async ({ whole, write }) => {
    await whole;
    await write(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
    await write(body);
  };

const seen = () => tunnel.upstream.exchanges.items[0]!;

describe.skipIf(!hasCurl)('curl', () => {
  it('downloads 3 MiB unchanged', async () => {
    const body = bytesOfSize(3 * MIB);
    tunnel.upstream.follow(response('HTTP/1.1 200 OK', body));

    const { exitCode, stdout } = await run([url('/file')]);

    expect(exitCode).toBe(0);
    expect(stdout.equals(body)).toBe(true);
  });

  it.each([
    ['of known length', response('HTTP/1.1 200 OK', 'all of it')],
    [
      'in chunks',
      (async ({ write }) => {
        await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        await write('4\r\nall \r\n5\r\nof it\r\n0\r\n\r\n');
      }) satisfies Script,
    ],
  ])('--http1.0 receives a response %s', async (_how, script) => {
    tunnel.upstream.follow(script);

    const { exitCode, stdout } = await run(['--http1.0', url('/old')]);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toBe('all of it');
  });

  it('-T - uploads a body of unknown length', async () => {
    const body = bytesOfSize(3 * MIB);

    const { exitCode } = await run(['--upload-file', '-', url('/up')], Readable.from([body]));

    expect(exitCode).toBe(0);
    expect(seen().seen()).toMatchObject({ framing: 'chunked', isComplete: true });
    expect(seen().seen().body.equals(body)).toBe(true);
  });

  it('--expect100-timeout sends a large upload only after 100 Continue', async () => {
    const folder = forThisTest(await temporaryFolder());
    const body = bytesOfSize(8 * MIB);
    await writeFile(join(folder.path, 'big'), body);

    const { exitCode, stderr } = await run([
      '--verbose',
      ...['--expect100-timeout', '50', '--header', 'Expect: 100-continue'],
      ...['--upload-file', join(folder.path, 'big'), url('/up')],
    ]);

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^< HTTP\/1\.1 100 Continue/m);
    expect(valueOf(seen().head.fields, 'expect')).toBeUndefined();
    expect(seen().seen()).toMatchObject({ framing: 'length', isComplete: true });
    expect(seen().seen().body.equals(body)).toBe(true);
  });

  it('-C - resumes a download', async () => {
    const folder = forThisTest(await temporaryFolder());
    const file = join(folder.path, 'resumed');
    const body = bytesOfSize(10_000);
    await writeFile(file, body.subarray(0, 4_000));
    tunnel.upstream.follow(
      response(
        'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4000-9999/10000',
        body.subarray(4_000),
      ),
    );

    const { exitCode } = await run(['--continue-at', '-', '--output', file, url('/file')]);

    expect(exitCode).toBe(0);
    expect(valueOf(seen().head.fields, 'range')).toBe('bytes=4000-');
    expect((await readFile(file)).equals(body)).toBe(true);
  });

  it('--compressed decodes a gzip response of the upstream', async () => {
    const text = 'the same again and again. '.repeat(1_000);
    tunnel.upstream.follow(response('HTTP/1.1 200 OK\r\nContent-Encoding: gzip', gzipSync(text)));

    const { exitCode, stdout } = await run(['--compressed', url('/text')]);

    expect(exitCode).toBe(0);
    expect(valueOf(seen().head.fields, 'accept-encoding')).toContain('gzip');
    expect(stdout.toString()).toBe(text);
  });

  it('--http2 offers an upgrade with each request on one connection and is served', async () => {
    const { exitCode, stdout, stderr } = await run(['-v', '--http2', url('/1'), url('/2')]);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toBe('okok');
    expect(stderr).toContain('Re-using existing connection');
  });

  it('-I shows the head that a GET would receive', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write('HTTP/1.1 200 OK\r\nContent-Length: 4711\r\nETag: "x"\r\n\r\n');
    });

    const { exitCode, stdout } = await run(['--head', url('/file')]);

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-length: 4711\r\netag: "x"\r\n/,
    );
  });

  it('-c stores both cookies of a login', async () => {
    tunnel.upstream.follow(response('HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2', 'in'));

    const { stdout } = await run(['--cookie-jar', '-', '--data', 'user=ada', url('/login')]);

    expect(stdout.toString()).toSatisfy(
      (jar: string) => jar.includes('\ta\t1\n') && jar.includes('\tb\t2\n'),
    );
  });

  it('-F sends a form with a file', async () => {
    const { exitCode } = await run(
      ['-F', 'file=@-;filename=x', url('/form')],
      Buffer.from('\0\xff'),
    );

    expect(exitCode).toBe(0);
    expect(valueOf(seen().head.fields, 'content-type')).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen().seen().body.includes('\0\xff')).toBe(true);
  });

  it.each(['PROPFIND', 'REPORT', 'M-SEARCH', 'QUERY'])(
    '-X %s reaches the upstream',
    async (method) => {
      const { exitCode } = await run(['--request', method, '--data', '<all/>', url('/dav')]);

      expect(exitCode).toBe(0);
      expect(seen().head.startLine).toBe(`${method} /dav HTTP/1.1`);
      expect(seen().seen().body.toString()).toBe('<all/>');
    },
  );

  it('receives a redirect, which the relays do not follow', async () => {
    tunnel.upstream.follow(
      response('HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/?q'),
    );

    const { stdout } = await run(['--write-out', '%{http_code} %{redirect_url}', url('/old')]);

    expect(stdout.toString()).toBe('302 https://elsewhere.example/?q');
    expect(tunnel.upstream.exchanges.items).toHaveLength(1);
  });

  it('receives an early response while it is still uploading', async () => {
    tunnel.upstream.follow(async ({ socket, write }) => {
      await write(
        'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig',
      );
      socket.end();
    });
    const endless = Readable.from(
      (function* () {
        for (let at = 0; at < 1_024; at += 1) {
          yield Buffer.alloc(65_536);
        }
      })(),
      { objectMode: false },
    );

    const { stdout } = await run(['-w', '%{http_code}', '-T', '-', url('/up')], endless);

    expect(stdout.toString()).toBe('big413');
  });

  it.each([
    ['of known length', '--http1.1', 'Content-Length: 1000\r\n\r\npart'],
    ['in chunks', '--http1.1', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['of known length', '--http1.0', 'Content-Length: 1000\r\n\r\npart'],
    ['in chunks', '--http1.0', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
  ])('fails if a response %s is cut off (%s)', async (_how, version, rest) => {
    tunnel.upstream.follow(async ({ socket, write }) => {
      await write(`HTTP/1.1 200 OK\r\n${rest}`);
      socket.end();
    });

    const { exitCode } = await run([version, '--data', 'x', url('/part')]);

    // 18: partial file; 56: connection reset.
    expect([18, 56]).toContain(exitCode);
  });
});
