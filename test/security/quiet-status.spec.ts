import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import { request, type ClientRequestSpec } from '../support/clients/client.js';
import { openEvents } from '../support/clients/event-source.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { adminOf } from '../support/relays/admin.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { startUpstream } from '../support/upstreams/upstream.js';

/** Part of everything that is not to be seen, and of nothing else. */
const CANARY = 'canary';
const SECRET = `canary-secret-${randomBytes(24).toString('base64url')}`;
const TOKEN = `canary-token-${randomBytes(24).toString('base64url')}`;
const ADMIN_TOKEN = `canary-admin-${randomBytes(24).toString('base64url')}`;
const AUTHORIZATION = `Basic ${Buffer.from(`operator:${ADMIN_TOKEN}`).toString('base64')}`;

const shared = sharedResources();
let outbound: TestRelay;
let inbound: TestRelay;

const environment = {
  CLIENT_ID_SECRET: SECRET,
  OUTBOUND_TOKEN: TOKEN,
  ADMIN_TOKEN,
  ADMIN_PORT: '0',
  HEADERS: JSON.stringify({ 'x-configured': 'canary-configured' }),
};

const send = (spec: ClientRequestSpec = {}) =>
  request(outbound.url, {
    method: 'POST',
    path: '/api/canary-path?canary=canary-query',
    body: 'canary-body',
    ...spec,
    headers: {
      'x-mte-outbound-token': TOKEN,
      'x-mte-upstream': inbound.url,
      authorization: 'Bearer canary-authorization',
      cookie: 'canary=canary-cookie',
      traceparent: 'canary-trace',
      ...spec.headers,
    },
  });

/** Everything that a relay shows its operator. */
async function shownBy(relay: TestRelay): Promise<string> {
  const origin = await adminOf(relay);
  const headers = { authorization: AUTHORIZATION };
  const texts = await Promise.all(
    ['/status.json', '/summary'].map(async (path) => {
      const { status, body } = await request(origin, { path, headers });
      expect([path, status]).toEqual([path, 200]);
      return body.toString();
    }),
  );
  const source = await openEvents(origin, headers);
  const report = await source.events.find(({ event }) => event === 'report');
  const history = await source.events.find(({ event }) => event === 'history');
  await source.close();
  return [...texts, JSON.stringify([report, history])].join('\n');
}

describe('the page of a busy relay (#118)', () => {
  beforeAll(async () => {
    const upstream = shared(
      await startUpstream((_request, response) => {
        response.writeHead(200, { 'x-canary': 'canary-response' }).end('canary-response');
      }),
    );
    inbound = shared(
      await startRelay({ ...environment, UPSTREAM: upstream.url, MTE_ROUTES: '/api/*' }),
    );
    outbound = shared(await startRelay(environment));
  });

  it('shows no secret, token, header value, path or body of what succeeds and of what is refused (#118)', async () => {
    const statuses = [
      await send(),
      await send({ headers: { 'x-mte-encode-type': 'MTE' } }),
      await send({ path: '/canary-elsewhere' }),
      await send({ headers: { 'x-mte-outbound-token': 'canary-guess' } }),
      await send({ headers: { 'x-mte-upstream': 'http://user:canary@relay.example/canary' } }),
      await send({ headers: { 'x-mte-encode-type': CANARY } }),
      await send({ headers: { expect: CANARY } }),
      await request(inbound.url, {
        method: 'POST',
        path: '/api/mte-tunnel',
        headers: { 'x-mte-relay': '1', 'x-mte-client-id': CANARY },
      }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 404, 401, 400, 400, 417, 566]);

    for (const [relay, code] of [
      [outbound, 'RELAY_TOKEN_INVALID'],
      [inbound, 'RELAY_ROUTE_UNKNOWN'],
    ] as const) {
      const text = await shownBy(relay);
      expect(text).toContain(code);
      expect(text.match(/.{0,60}canary.{0,60}/gi) ?? []).toEqual([]);
      for (const credential of [SECRET, TOKEN, ADMIN_TOKEN]) {
        for (const form of ['hex', 'base64', 'base64url'] as const) {
          expect(text).not.toContain(Buffer.from(credential).toString(form));
        }
      }
    }
  });
});
