import { randomBytes } from 'node:crypto';

import { Clock } from '@relay/clock';
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
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';

/** test/interop is a second implementation of docs/protocol.md, written from its text alone. */
const TYPES = ['mke', 'mte'] as const;
/** channels-inbound.spec.ts is about the other transport. */
const MESSAGES = { TUNNEL_TRANSPORT: 'message' };
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
    outbound = shared(await startRelay(MESSAGES));
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
      headers: { 'x-many': ['1', 'caf\xe9'], host: 'Api.example:8443' },
    });

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({
      method: 'GET',
      authority: 'Api.example:8443',
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

  const eventsWith = (name: string, value?: unknown) =>
    inbound.events.items.filter(
      (event) => name in event && (value === undefined || event[name] === value),
    );

  it('receives a safe request again once it has reported its session as unknown', async () => {
    const pairingsBefore = eventsWith('paired').length;

    const response = await send('mke', { path: '/forgotten' });

    expect(response.status).toBe(201);
    expect(eventsWith('paired')).toHaveLength(pairingsBefore + 1);
    expect(eventsWith('forwarded', '/forgotten')).toHaveLength(1);
  });

  it('does not receive a POST again whose session it has reported as unknown', async () => {
    const response = await send('mke', { method: 'POST', path: '/forgotten?post', body: 'once' });

    expect(response.status).toBe(502);
    expect(errorOf(response).forwarded).toBe('maybe');
    expect(eventsWith('forwarded', '/forgotten?post')).toHaveLength(0);
  });

  it.each(TYPES)(
    'receives the age of the session and no replaced number with a first attempt (%s)',
    async (type) => {
      const path = `/first?${type}`;
      await send(type, { method: 'POST', path, body: 'once' });

      expect(eventsWith('forwarded', path)).toEqual([
        expect.objectContaining({ type, replaced: null, age: expect.any(Number) as unknown }),
      ]);
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'receives a %s again that replaces the one whose connection broke, and it runs once',
    async (method) => {
      for (const type of TYPES) {
        const path = `/lost?${method}-${type}`;

        const response = await send(type, { method, path, body: 'once' });

        expect(response.status).toBe(201);
        const [forwarded, ...others] = eventsWith('forwarded', path);
        expect(others).toEqual([]);
        expect(forwarded?.['replaced']).toBe(Number(forwarded?.['seq']) - 1);
      }
    },
  );

  it.each(TYPES)('does not run a POST again that it was heard of only once (%s)', async (type) => {
    const path = `/unheard?${type}`;

    const response = await send(type, { method: 'POST', path, body: 'once' });

    expect(response.status).toBe(502);
    expect(errorOf(response).forwarded).toBe('maybe');
    expect(eventsWith('forwarded', path)).toHaveLength(1);
  });

  it.each(TYPES)(
    'proves nothing about a POST that ran before its pairing was replayed to an empty store (%s)',
    async (type) => {
      const path = `/recreated?${type}`;
      const refusedBefore = eventsWith('refused', 562).length;
      // Its session is of no use afterwards, so it is not the one that other tests share.
      const victim = forThisTest(await startRelay(MESSAGES));

      const headers = clientHeaders(type);
      const response = await request(victim.url, { method: 'POST', path, headers, body: 'once' });

      expect(eventsWith('refused', 562).slice(refusedBefore)).toEqual([
        expect.objectContaining({ p: 0 }),
      ]);
      expect(response.status).toBe(502);
      expect(errorOf(response).forwarded).toBe('maybe');
      expect(eventsWith('forwarded', path)).toHaveLength(1);
    },
  );

  it('receives a GET again under a new number that replaces none', async () => {
    const response = await send('mke', { path: '/unheard?get' });

    expect(response.status).toBe(201);
    expect(eventsWith('forwarded', '/unheard?get')).toEqual([
      expect.objectContaining({ replaced: null }),
      expect.objectContaining({ replaced: null }),
    ]);
  });

  it.each(['GET', 'POST'])('receives a %s again that it refused as late', async (method) => {
    const path = `/stepped?${method}`;

    const response = await send('mke', { method, path });

    expect(response.status).toBe(201);
    expect(eventsWith('forwarded', path)).toEqual([expect.objectContaining({ replaced: null })]);
  });

  it('receives a late POST twice and no more', async () => {
    const path = '/stepped/3';
    const refusedBefore = eventsWith('refused', 562).length;

    const response = await send('mke', { method: 'POST', path, body: 'never' });

    expect(response.status).toBe(502);
    expect(errorOf(response).forwarded).toBe('no');
    expect(eventsWith('refused', 562)).toHaveLength(refusedBefore + 2);
    expect(eventsWith('forwarded', path)).toHaveLength(0);
  });

  it('is asked about the session before the first POST after its restart', async () => {
    await send('mke', { method: 'POST', path: '/restarted', body: 'before' });
    const refusedBefore = eventsWith('refused', 560).length;

    const response = await send('mke', { method: 'POST', path: '/after', body: 'after' });

    expect(response.status).toBe(201);
    expect(eventsWith('refused', 560)).toHaveLength(refusedBefore + 1);
    expect(eventsWith('forwarded', '/after')).toHaveLength(1);
  });

  it('is asked about the session before a POST that comes 5 s after the latest response', async () => {
    const clock = new HandMovedClock(Date.now());
    const patient = forThisTest(
      await startRelay(MESSAGES, (builder) => builder.overrideProvider(Clock).useValue(clock)),
    );
    const post = (path: string): Promise<ClientResponse> =>
      request(patient.url, { method: 'POST', path, headers: clientHeaders('mke'), body: 'x' });
    await post('/early');
    const checkedBefore = eventsWith('checked').length;

    await post('/soon');
    expect(eventsWith('checked')).toHaveLength(checkedBefore);
    clock.advance(5000);
    const response = await post('/late');

    expect(response.status).toBe(201);
    expect(eventsWith('checked')).toHaveLength(checkedBefore + 1);
    expect(eventsWith('forwarded', '/late')).toEqual([expect.objectContaining({ age: 5 })]);
  });

  it('refuses a relay that takes it for another audience', async () => {
    const headers = {
      ...clientHeaders('mke'),
      'x-mte-upstream': inbound.url.replace('127.0.0.1', 'localhost'),
    };

    const response = await request(outbound.url, { method: 'POST', path: '/', headers });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
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
