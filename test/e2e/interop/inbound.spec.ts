import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  errorOf,
  fieldValues,
  request,
  type ClientRequestSpec,
  type ClientResponse,
} from '../../support/clients/client.js';
import {
  hasPython,
  startPythonInbound,
  type PythonInbound,
} from '../../support/processes/python-relays.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { sharedResources } from '../../support/lifecycle/resources.js';

/** test/interop is a second implementation of docs/protocol.md, written from its text alone. */
const TYPES = ['mke', 'mte'] as const;
/** More than one record can carry, and not a multiple of the record size. */
const BODY = randomBytes(70_001);
/** A reset may overtake data that was sent before it. */
const CUT_OFF = /aborted|hang up|ECONNRESET/;

describe.skipIf(!hasPython())('an independent inbound relay', () => {
  const shared = sharedResources();
  let inbound: PythonInbound;
  let outbound: TestRelay;

  beforeAll(async () => {
    inbound = shared(await startPythonInbound());
    outbound = shared(await startRelay());
  });

  const clientHeaders = (type: string) => ({
    'x-mte-outbound-token': TOKEN,
    'x-mte-upstream': inbound.url,
    'x-mte-encode-type': type,
  });

  const send = (type: string, spec: ClientRequestSpec): Promise<ClientResponse> =>
    request(outbound.url, { ...spec, headers: { ...clientHeaders(type), ...spec.headers } });

  it.each(TYPES)('receives a request as the client sent it (%s)', async (type) => {
    const response = await send(type, {
      method: 'GET',
      path: `/seen?${type}`,
      headers: { 'x-many': ['1', 'caf\xe9'], host: 'api.example' },
    });

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({
      method: 'GET',
      path: `/seen?${type}`,
      fields: [
        ['x-many', '1'],
        ['x-many', 'caf\xe9'],
      ],
      bytes: 0,
    });
    expect(inbound.events.items).toContainEqual(
      expect.objectContaining({ forwarded: `/seen?${type}`, type }),
    );
  });

  it.each(TYPES)('returns a body unchanged (%s)', async (type) => {
    const response = await send(type, { method: 'POST', path: '/', body: BODY });

    expect(response.status).toBe(201);
    expect(response.body.equals(BODY)).toBe(true);
    expect(fieldValues(response.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(fieldValues(response.rawHeaders, 'x-latin')).toEqual(['caf\xe9']);
  });

  it.each(TYPES)('sends responses without a body (%s)', async (type) => {
    expect(await send(type, { path: '/empty' })).toMatchObject({ status: 204 });
    const head = await send(type, { method: 'HEAD', path: '/seen' });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
  });

  it('receives a message again once it has reported its session as unknown', async () => {
    const pairingsBefore = inbound.events.items.filter((event) => 'paired' in event).length;

    const response = await send('mke', { method: 'POST', path: '/forgotten', body: 'once' });

    expect(response.status).toBe(201);
    expect(response.body.toString()).toBe('once');
    const pairings = inbound.events.items.filter((event) => 'paired' in event);
    expect(pairings).toHaveLength(pairingsBefore + 1);
    const forwarded = inbound.events.items.filter((event) => event['forwarded'] === '/forgotten');
    expect(forwarded).toHaveLength(1);
  });

  it.each([
    ['mke', '/flipped/0'],
    ['mte', '/flipped/0'],
    ['mte', '/flipped/1'],
    ['mte', '/cut'],
  ])(
    'has a response with a changed or missing record rejected with a 502 (%s %s)',
    async (type, path) => {
      const response = await send(type, { method: 'POST', path, body: 'once' });

      expect(response.status).toBe(502);
      expect(errorOf(response).forwarded).toBe('maybe');
    },
  );

  it.each(['/flipped/2', '/cut'])(
    'has an MKE response cut off at a bad record (%s)',
    async (path) => {
      await expect(send('mke', { method: 'POST', path, body: BODY })).rejects.toThrow(CUT_OFF);
    },
  );

  it('has a response accepted if its body has the announced length', async () => {
    for (const type of TYPES) {
      expect((await send(type, { path: '/announced/5' })).body.toString()).toBe('12345');
    }
  });

  it.each(['/announced/4', '/announced/6', '/announced/0'])(
    'has a response rejected if its body does not have the announced length (%s)',
    async (path) => {
      const whole = await send('mte', { path });
      expect(whole.status).toBe(502);
      expect(errorOf(whole).forwarded).toBe('maybe');
      await expect(send('mke', { path })).rejects.toThrow(CUT_OFF);
    },
  );
});
