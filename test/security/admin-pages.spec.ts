import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';

import { SECURITY_FIELDS } from '../../apps/relay/src/admin/security-fields.js';
import { HostCheck } from '../../apps/relay/src/admin/host-check.js';
import { request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startAdminRelay, type AdminRelay } from '../support/relays/status.js';

const PATHS = ['/', '/summary', '/summary.css', '/status.json', '/events', '/metrics', '/nothing'];

const shared = sharedResources();
let relay: AdminRelay;

beforeAll(async () => {
  relay = shared(await startAdminRelay({ ADMIN_ALLOWED_HOSTS: 'relay.internal,10.1.2.3' }));
});

const ask = (path: string, headers: Readonly<Record<string, string>>, method = 'HEAD') =>
  request(relay.admin, { path, headers, method });

/** Sends bytes, and reads until the connection ends. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(relay.adminPort, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

describe('#113 a page of another site', () => {
  it.each(PATHS)('cannot read %s by a name that leads to this listener', async (path) => {
    const { status, headers, body } = await ask(path, { host: 'rebound.example:9464' }, 'GET');
    expect(status).toBe(421);
    expect(body.toString()).toContain('ADMIN_ALLOWED_HOSTS');
    expect(headers).toMatchObject(SECURITY_FIELDS);
  });

  it.each([
    'rebound.example',
    '127.0.0.1.rebound.example',
    'localhost.rebound.example:80',
    'relay.internal.rebound.example',
    '10.1.2.4',
    '169.254.169.254',
    '0.0.0.0',
    '[::]',
    'user@localhost',
    'localhost:',
    'localhost, rebound.example',
  ])('is refused with the host %j', async (host) => {
    expect((await ask('/status.json', { host })).status).toBe(421);
  });

  it.each([
    'localhost:1',
    'LOCALHOST',
    '127.0.0.1',
    '127.1:9464',
    '[::1]:9464',
    'relay.internal',
    'Relay.Internal.:443',
    '10.1.2.3:9464',
  ])('is another one than that of the host %s', async (host) => {
    expect((await ask('/status.json', { host })).status).toBe(200);
  });

  it.each(['/health/live', '/health/ready'])(
    'can read %s, which probes ask for by any host',
    async (path) => {
      expect((await ask(path, { host: 'relay-b.default.svc:9464' })).status).toBe(200);
    },
  );

  it.each([
    ['no host', 'GET /status.json HTTP/1.1\r\n\r\n', 400],
    ['two hosts', 'GET /status.json HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n', 400],
    ['an empty host', 'GET /status.json HTTP/1.1\r\nhost:\r\n\r\n', 421],
    ['no host in HTTP/1.0', 'GET /status.json HTTP/1.0\r\n\r\n', 421],
    [
      'a host in its target',
      'GET http://localhost/status.json HTTP/1.1\r\nhost: a.example\r\n\r\n',
      400,
    ],
  ])('is refused with %s', async (_, bytes, status) => {
    expect(await exchange(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it.each([
    [{ origin: 'https://other.example' }],
    [{ origin: 'http://localhost:3000' }],
    [{ origin: 'null' }],
    [{ origin: 'https://other.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }],
    [{ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    [{ origin: 'http://localhost', 'sec-fetch-site': 'same-site' }],
    [{ origin: 'http://127.0.0.1' }],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
  ])('cannot take a place among those who watch with %j', async (fields) => {
    expect((await ask('/events', { host: 'localhost:9464', ...fields })).status).toBe(403);
  });

  it.each([
    [{ origin: 'http://localhost:9464', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    [{ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    [{}],
  ])('is not meant by %j', async (fields) => {
    expect((await ask('/events', { host: 'localhost:9464', ...fields })).status).toBe(200);
  });

  it.each([
    ['relay.internal', { origin: 'http://relay.internal:8080' }],
    ['relay.internal:9464', { origin: 'https://relay.internal' }],
    ['localhost', { origin: 'http://relay.internal:8080', 'sec-fetch-site': 'same-origin' }],
  ])('is not meant behind a proxy that sends the host %s, by %j', async (host, fields) => {
    expect((await ask('/events', { host, ...fields })).status).toBe(200);
  });

  it.each([
    ['relay.internal', { origin: 'http://rebound.example:8080' }],
    ['relay.internal', { origin: 'http://relay.internal.rebound.example:8080' }],
    ['rebound.example', { origin: 'http://rebound.example', 'sec-fetch-site': 'same-origin' }],
  ])('is refused behind a proxy that sends the host %s, with %j', async (host, fields) => {
    expect((await ask('/events', { host, ...fields })).status).toBeGreaterThanOrEqual(400);
  });

  it.each([...PATHS, '/health/live', '/health/ready', '/%', '/%ff'])(
    'cannot frame, embed or script %s',
    async (path) => {
      const { headers } = await ask(path, {});
      expect(headers).toMatchObject(SECURITY_FIELDS);
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
    'gets nothing with %s',
    async (method) => {
      const { status, headers } = await ask('/metrics', {}, method);
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
      expect(headers).toMatchObject(SECURITY_FIELDS);
    },
  );

  it('gets no CONNECT', async () => {
    expect(await exchange('CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n')).toBe(
      '',
    );
  });

  it.each([
    ['garbage', '\u0000\u0001\r\n\r\n', 400],
    ['a preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a huge head', `GET / HTTP/1.1\r\nhost: localhost\r\na: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('gets an error with all fields for %s', async (_, bytes, status) => {
    const response = await exchange(bytes);
    expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const [name, value] of Object.entries(SECURITY_FIELDS)) {
      expect(response).toContain(`${name}: ${value}\r\n`);
    }
    expect(JSON.parse(response.slice(response.indexOf('\r\n\r\n')))).toHaveProperty('error');
  });

  it('is another one than that of the address where a request arrives', () => {
    const hosts = new HostCheck([], '0.0.0.0');
    const arrival = (host: string, localAddress: string) =>
      hosts.hasAllowedHost({ headers: { host }, socket: { localAddress } });
    expect(arrival('10.0.0.7:9464', '10.0.0.7')).toBe(true);
    expect(arrival('10.0.0.7:9464', '::ffff:10.0.0.7')).toBe(true);
    expect(arrival('[2001:db8::7]:9464', '2001:db8::7')).toBe(true);
    expect(arrival('10.0.0.8:9464', '10.0.0.7')).toBe(false);
    expect(arrival('rebound.example', '10.0.0.7')).toBe(false);
    expect(arrival('0.0.0.0', '10.0.0.7')).toBe(false);
  });

  it('is another one than that of the name at which the listener listens', () => {
    const hosts = new HostCheck([], 'Relay.Internal');
    const arrival = (host: string) =>
      hosts.hasAllowedHost({ headers: { host }, socket: { localAddress: '10.0.0.7' } });
    expect(arrival('relay.internal:9464')).toBe(true);
    expect(arrival('rebound.example:9464')).toBe(false);
  });
});

it('whoever asks for something else is told what there is', async () => {
  const { status, body } = await ask('/nothing', {}, 'GET');
  expect([status, body.toString()]).toEqual([
    404,
    expect.stringContaining('/troubleshooting.html'),
  ]);
});

it('an upgrade gets the response of a request without one', async () => {
  const socket = connect(relay.adminPort, '127.0.0.1');
  socket.write(
    'GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(chunk.toString()).toMatch(/^HTTP\/1.1 200 /);
});
