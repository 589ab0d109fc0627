import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { selfSignedCertificate } from '../../support/certificates/self-signed-certificate.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startConnectProxy } from '../../support/network/connect-proxy.js';
import { closedPort, listen } from '../../support/network/listen.js';
import { startNameService } from '../../support/network/name-service.js';
import { startRawServer } from '../../support/network/raw-socket.js';
import { checkOf, type TestCheck } from '../../support/relays/check.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';

const startB = async (): Promise<TestRelay> =>
  forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));

/** What was found at the only step that has failed; what follows it was not reached. */
function only({ report, failed }: TestCheck) {
  expect(failed).toHaveLength(1);
  const at = report.steps.findIndex(({ ok }) => ok === false);
  expect(report.steps.slice(at + 1).every(({ ok }) => ok === null)).toBe(true);
  const { step, code, todo } = report.steps[at]!;
  expect(todo).not.toBe('');
  return { step, code };
}

describe('a name', () => {
  it('that does not resolve is named at the step resolve', async () => {
    expect(only(await checkOf('http://relay-b.invalid'))).toEqual({
      step: 'resolve',
      code: expect.stringMatching(/^CHECK_(NAME_UNKNOWN|RESOLVER_FAILED)$/) as string,
    });
  });

  it('with a refused address is named there as well', async () => {
    const names = forThisTest(startNameService());
    names.say('metadata.example', ['169.254.169.254']);
    expect(only(await checkOf('http://metadata.example'))).toEqual({
      step: 'resolve',
      code: 'CHECK_ADDRESS_REFUSED',
    });
  });

  it('that is a refused address itself is refused before anything is sent', async () => {
    expect(only(await checkOf('http://169.254.169.254'))).toEqual({
      step: 'configuration',
      code: 'CHECK_PEER_UNKNOWN',
    });
  });
});

describe('a port', () => {
  it('at which nothing listens is named at the step connect', async () => {
    const port = await closedPort(createServer());
    expect(only(await checkOf(`http://127.0.0.1:${port}`))).toEqual({
      step: 'connect',
      code: 'CHECK_CONNECTION_REFUSED',
    });
  });

  it('of another server is named at the step relay, with the server', async () => {
    const other = forThisTest(
      await listen(
        createServer((_request, response) => {
          response.writeHead(404, { server: 'Apache/2.4\u00e9' }).end();
        }),
      ),
    );
    const found = await checkOf(other.url);
    expect(only(found)).toEqual({ step: 'relay', code: 'CHECK_NO_RELAY' });
    expect(found.step('relay').cause).toContain('status 404 of Apache/2.4?');
  });

  it.each<[string, number, Record<string, string>, string]>([
    ['that redirects', 301, { location: 'https://b.example/' }, 'CHECK_REDIRECTED'],
    ['of a gateway without a relay', 502, {}, 'CHECK_GATEWAY_FAILED'],
    ['of another server with a status 400', 400, { server: 'nginx' }, 'CHECK_NO_RELAY'],
    ['of a relay of another version', 200, { 'x-mte-relay': '2' }, 'CHECK_VERSION_DIFFERS'],
  ])('%s is named', async (_what, status, fields, code) => {
    const other = forThisTest(
      await listen(createServer((_request, response) => response.writeHead(status, fields).end())),
    );
    expect(only(await checkOf(other.url))).toEqual({ step: 'relay', code });
  });

  it('of nginx that expects TLS is named by its text', async () => {
    const other = forThisTest(
      await listen(
        createServer((_request, response) => {
          response.writeHead(400).end('The plain HTTP request was sent to HTTPS port');
        }),
      ),
    );
    expect(only(await checkOf(other.url))).toEqual({ step: 'relay', code: 'CHECK_TLS_EXPECTED' });
  });

  it('of this relay itself is named at the step connect', async () => {
    const { port, url } = await startB();
    expect(only(await checkOf(url, { PORT: String(port) }))).toEqual({
      step: 'connect',
      code: 'CHECK_SENDER_SELF',
    });
  });

  it('that this relay has too, at another address than it listens at, is another relay', async () => {
    const { port, url } = await startB();
    expect((await checkOf(url, { HOST: '127.0.0.2', PORT: String(port) })).failed).toEqual([]);
  });

  it('of a gateway that asks for credentials is named, with what it must let through', async () => {
    const other = forThisTest(
      await listen(createServer((_request, response) => response.writeHead(401).end())),
    );
    const found = await checkOf(other.url);
    expect(only(found)).toEqual({ step: 'relay', code: 'CHECK_NO_RELAY' });
    expect(found.step('relay').cause).toContain('let /api/mte-* through without credentials');
  });

  it('of a server whose head is too long is not named as one without HTTP', async () => {
    const other = forThisTest(
      await listen(
        createServer((_request, response) => {
          response.writeHead(200, { 'x-long': 'x'.repeat(40_000) }).end();
        }),
      ),
    );
    expect(only(await checkOf(other.url))).toEqual({ step: 'relay', code: 'CHECK_NO_RELAY' });
  });

  it('of a program that does not speak HTTP is named', async () => {
    const server = forThisTest(
      await startRawServer((connection) => {
        connection.write('SSH-2.0-OpenSSH_9.2\r\n');
      }),
    );
    expect(only(await checkOf(server.url))).toEqual({ step: 'relay', code: 'CHECK_NO_HTTP' });
  });

  it('at which no TLS is spoken is named at the step tls', async () => {
    const { port } = await startB();
    expect(only(await checkOf(`https://localhost:${port}`))).toEqual({
      step: 'tls',
      code: 'CHECK_TLS_ABSENT',
    });
  });
});

describe('a certificate that the relay would not trust', () => {
  it('because it signs itself is named at the step tls', async () => {
    const server = forThisTest(await listen(createTlsServer(selfSignedCertificate())));
    expect(only(await checkOf(`https://localhost:${server.port}`))).toEqual({
      step: 'tls',
      code: 'CHECK_CERTIFICATE_SELF_SIGNED',
    });
  });
});

describe('a relay B that hangs', () => {
  it('before its response ends the step within its limit', async () => {
    const silent = forThisTest(await listen(createTcpServer()));
    const found = await checkOf(silent.url, {}, { limitMs: 500 });
    expect(only(found)).toEqual({ step: 'relay', code: 'CHECK_RELAY_TIMEOUT' });
    expect(found.report.ms).toBeLessThan(5_000);
  });

  it('before TLS ends the step within its limit', async () => {
    const { port } = forThisTest(await listen(createTcpServer()));
    const found = await checkOf(`https://localhost:${port}`, {}, { limitMs: 500 });
    expect(only(found)).toEqual({ step: 'tls', code: 'CHECK_TLS_TIMEOUT' });
    expect(found.report.ms).toBeLessThan(5_000);
  });
});

describe('an egress proxy', () => {
  it('leads to a relay, and is named without its credentials', async () => {
    const { url } = await startB();
    const proxy = forThisTest(await startConnectProxy({ account: 'user:word' }));
    const PEER_PROXY_URL = `http://user:word@127.0.0.1:${proxy.port}`;

    const { step, failed, report } = await checkOf(url, { PEER_PROXY_URL });

    expect(failed).toEqual([]);
    expect(step('connect').detail).toContain(`through the proxy 127.0.0.1:${proxy.port}`);
    expect(JSON.stringify(report)).not.toContain('word@');
    expect(proxy.requests.items.length).toBeGreaterThan(3);
  });

  it('that responds with 407 is named at the step connect', async () => {
    const { url } = await startB();
    const proxy = forThisTest(await startConnectProxy({ account: 'user:word' }));
    const found = await checkOf(url, {
      PEER_PROXY_URL: `http://user:wrong@127.0.0.1:${proxy.port}`,
    });
    expect(only(found)).toEqual({ step: 'connect', code: 'CHECK_PROXY_AUTH_FAILED' });
    expect(found.step('connect').cause).toContain('407');
    expect(JSON.stringify(found.report)).not.toContain('wrong');
  });

  it.each<[string, string, string]>([
    ['that refuses the target', 'HTTP/1.1 403 No\r\n\r\n', 'CHECK_PROXY_REFUSED'],
    ['that is none', 'SSH-2.0-OpenSSH_9.2\r\n', 'CHECK_PROXY_UNREACHABLE'],
  ])('%s is named', async (_what, octets, code) => {
    const instead = (client: { end(text: string): void }): void => {
      client.end(octets);
    };
    const proxy = forThisTest(await startConnectProxy({ instead }));
    const found = await checkOf('http://127.0.0.1:9', { PEER_PROXY_URL: proxy.url });
    expect(only(found)).toEqual({ step: 'connect', code });
  });

  it('that does not respond ends the step within its limit', async () => {
    const proxy = forThisTest(await startConnectProxy({ instead: () => undefined }));
    const options = { limitMs: 500 };
    const found = await checkOf('http://127.0.0.1:9', { PEER_PROXY_URL: proxy.url }, options);
    expect(only(found)).toEqual({ step: 'connect', code: 'CHECK_PROXY_TIMEOUT' });
  });
});
