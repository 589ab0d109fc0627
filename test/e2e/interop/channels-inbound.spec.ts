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

/** More than the window that inbound.py announces, and not a multiple of a frame. */
const LARGE = randomBytes(200_003);
const WINDOW_BYTES = 65_536;

describe.skipIf(!hasPython())('channels to an independent inbound relay', () => {
  const shared = sharedResources();
  let inbound: PythonInbound;
  let outbound: TestRelay;

  beforeAll(async () => {
    inbound = shared(await startPythonInbound());
    const oneChannel = { CHANNELS_PER_PEER: '1' };
    outbound = shared(await startRelay({ TUNNEL_TRANSPORT: 'channel', ...oneChannel }));
  });

  const send = (spec: ClientRequestSpec): Promise<ClientResponse> =>
    request(outbound.url, {
      ...spec,
      headers: {
        'x-mte-outbound-token': TOKEN,
        'x-mte-upstream': inbound.url,
        ...spec.headers,
      },
    });

  const forwarded = (path: string) =>
    inbound.events.items.filter((event) => event['forwarded'] === path);

  it('carry a request as the client sent it, and its response', async () => {
    const headers = { 'x-many': ['1', 'caf\xe9'], host: 'Api.example:8443' };

    const response = await send({ path: '/seen?channel', headers });

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({
      method: 'GET',
      authority: 'Api.example:8443',
      path: '/seen?channel',
      fields: [
        ['x-many', '1'],
        ['x-many', 'caf\xe9'],
      ],
      bytes: 0,
    });
    expect(forwarded('/seen?channel')).toEqual([expect.objectContaining({ type: 'chan' })]);
  });

  it('carry several requests at once, whose responses overtake each other', async () => {
    const post = (path: string, body: Buffer): Promise<ClientResponse> =>
      send({ method: 'POST', path, body });
    const paths = ['/a', '/b', '/c'];

    const held = post('/held/first', LARGE);
    const others = await Promise.all(paths.map((path) => post(path, Buffer.from(path))));
    // Only this request, in the same channel, lets the first be answered.
    const last = await post('/release/first', LARGE.subarray(1));
    const response = await held;

    expect(others.map(({ body }) => body.toString())).toEqual(paths);
    expect(last.body.equals(LARGE.subarray(1))).toBe(true);
    const all = [...paths, '/held/first', '/release/first'].flatMap(forwarded);
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(1);
    expect(all).toHaveLength(5);
    expect(response.body.equals(LARGE)).toBe(true);
    expect(fieldValues(response.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(fieldValues(response.rawHeaders, 'x-latin')).toEqual(['caf\xe9']);
  });

  it('carry no more of a body than was granted, and other requests meanwhile', async () => {
    const paused = send({ method: 'POST', path: '/paused/p', body: LARGE });
    await inbound.events.find((event) => 'windowUsedUp' in event);

    const other = await send({ method: 'POST', path: '/other', body: 'abc' });
    await send({ path: '/release/p' });
    const response = await paused;

    expect(other.body.toString()).toBe('abc');
    expect(await inbound.events.find((event) => event['paused'] === '/paused/p')).toMatchObject({
      octets: WINDOW_BYTES,
    });
    expect(response.body.equals(LARGE)).toBe(true);
  });

  it('carry responses without a body', async () => {
    expect(await send({ path: '/empty' })).toMatchObject({ status: 204 });
    const head = await send({ method: 'HEAD', path: '/seen' });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
  });

  it('do not complete a response that does not have the length in its head', async () => {
    await expect(send({ path: '/announced/7' })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it('do not carry a POST again whose channel broke after it was forwarded', async () => {
    const response = await send({ method: 'POST', path: '/unheard?post', body: 'once' });

    expect(response.status).toBe(502);
    expect(errorOf(response).forwarded).toBe('maybe');
    expect(forwarded('/unheard?post')).toHaveLength(1);
  });

  it('carry a GET again whose channel broke', async () => {
    const response = await send({ path: '/unheard?get' });

    expect(response.status).toBe(201);
    expect(forwarded('/unheard?get')).toHaveLength(2);
  });

  it('never made the peer end one for a broken rule', () => {
    const endings = inbound.events.items.filter((event) => 'channelEnded' in event);

    expect(endings.filter((event) => Number(event['channelEnded']) === 1002)).toEqual([]);
  });
});
