import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  errorOf,
  fieldValues,
  request,
  type ClientRequestSpec,
  type ClientResponse,
} from '../../support/client.js';
import { hasPython, startPythonInbound, type PythonInbound } from '../../support/python-relays.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relay.js';
import { sharedResources } from '../../support/resources.js';

/** docs/protocol.md was implemented a second time from its text alone: test/interop. */
const TYPES = ['mke', 'mte'] as const;
/** More than one record holds, in no round number. */
const BODY = randomBytes(70_001);
/** A reset may overtake what was sent before it. */
const BROKEN_OFF = /aborted|hang up|ECONNRESET/;

describe.skipIf(!hasPython())('another implementation, as the inbound relay', () => {
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

  it.each(TYPES)('gets a request as the client sent it (%s)', async (type) => {
    const answer = await send(type, {
      method: 'GET',
      path: `/seen?${type}`,
      headers: { 'x-many': ['1', 'caf\xe9'], host: 'api.example' },
    });

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
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

  it.each(TYPES)('gives a body back, octet by octet (%s)', async (type) => {
    const answer = await send(type, { method: 'POST', path: '/', body: BODY });

    expect(answer.status).toBe(201);
    expect(answer.body.equals(BODY)).toBe(true);
    expect(fieldValues(answer.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(fieldValues(answer.rawHeaders, 'x-latin')).toEqual(['caf\xe9']);
  });

  it.each(TYPES)('answers without a body (%s)', async (type) => {
    expect(await send(type, { path: '/empty' })).toMatchObject({ status: 204 });
    const head = await send(type, { method: 'HEAD', path: '/seen' });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
  });

  it('has a message repeated once it says that the session is gone', async () => {
    const pairingsBefore = inbound.events.items.filter((event) => 'paired' in event).length;

    const answer = await send('mke', { method: 'POST', path: '/forgotten', body: 'once' });

    expect(answer.status).toBe(201);
    expect(answer.body.toString()).toBe('once');
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
  ])('is not believed where record of an answer was changed (%s %s)', async (type, path) => {
    const answer = await send(type, { method: 'POST', path, body: 'once' });

    expect(answer.status).toBe(502);
    expect(errorOf(answer).forwarded).toBe('maybe');
  });

  it.each(['/flipped/2', '/cut'])('breaks an MKE answer off at a bad record (%s)', async (path) => {
    await expect(send('mke', { method: 'POST', path, body: BODY })).rejects.toThrow(BROKEN_OFF);
  });

  it('is believed where a body has the length that its head announced', async () => {
    for (const type of TYPES) {
      expect((await send(type, { path: '/announced/5' })).body.toString()).toBe('12345');
    }
  });

  it.each(['/announced/4', '/announced/6', '/announced/0'])(
    'is not believed where a body has another length than its head announced (%s)',
    async (path) => {
      const whole = await send('mte', { path });
      expect(whole.status).toBe(502);
      expect(errorOf(whole).forwarded).toBe('maybe');
      await expect(send('mke', { path })).rejects.toThrow(BROKEN_OFF);
    },
  );
});
