import { randomBytes } from 'node:crypto';

import { RELAY_HEADER } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startAttackedTunnel, type AttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf, type ClientResponse } from '../support/clients/client.js';
import { flipBit } from '../support/attackers/corruption.js';
import {
  headerOf,
  withHeader,
  type Interception,
  type WireResponse,
} from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { messageName } from '../support/protocol/tunnel-message.js';

const POST = { method: 'POST', path: '/pay', body: 'one coin' };
const SALT_22 = 'AAAAAAAAAAAAAAAAAAAAAA';

const shared = sharedResources();
let tunnel: AttackedTunnel;
let client: ProtocolClient;

beforeAll(async () => {
  tunnel = shared(await startAttackedTunnel());
  client = await ProtocolClient.pair(tunnel.inbound.url);
});

beforeEach(() => {
  tunnel.upstream.forget();
});

/** An empty response with this status and relay header. */
const emptyResponse = (status: number, relayHeader?: string): WireResponse => ({
  status,
  rawHeaders: relayHeader === undefined ? [] : [RELAY_HEADER, relayHeader],
  body: Buffer.alloc(0),
});

/** A genuine error of the inbound relay that states "never forwarded", but about another message. */
const oldError = async (): Promise<WireResponse> => {
  const message = client.seal();
  const request = { ...message, body: flipBit(message.body, 100) };
  const response = await client.deliver(request);
  expect(client.signedErrorOf(request, response)).toMatchObject({ isNeverForwarded: true });
  return response;
};

/** Lets the request be executed, and then responds with what `forge` makes of the genuine responses. */
const afterExecution =
  (
    forge: (replayed: WireResponse, real: WireResponse) => WireResponse | Promise<WireResponse>,
  ): Interception =>
  async (request, deliver) => {
    const real = await deliver(request);
    return forge(await deliver(request), real);
  };

const part = (response: WireResponse, at: number, value: string): string =>
  headerOf(response, RELAY_HEADER).split('.').with(at, value).join('.');

describe('#8 a response that denies an execution', () => {
  it.each<[string, Interception]>([
    ['an unsigned 559', afterExecution(() => emptyResponse(559))],
    ['an unsigned 560', afterExecution(() => emptyResponse(560))],
    ['an unsigned 562', afterExecution(() => emptyResponse(562))],
    [
      'a 560 with a random signature',
      afterExecution(() =>
        emptyResponse(560, `1.error.560.0.${Date.now()}.${randomBytes(32).toString('base64url')}`),
      ),
    ],
    ['a genuine error about another message', afterExecution(oldError)],
    [
      'a genuine 565 changed to 560',
      afterExecution((replayed) => emptyResponse(560, part(replayed, 2, '560'))),
    ],
    [
      'a genuine 565 changed to "never forwarded"',
      afterExecution((a) => emptyResponse(565, part(a, 3, '0'))),
    ],
    [
      'a genuine 565 with another time',
      afterExecution((a) => emptyResponse(565, part(a, 4, String(Date.now() + 1)))),
    ],
    [
      'a genuine 565 under the status 560',
      afterExecution((a) => emptyResponse(560, headerOf(a, RELAY_HEADER))),
    ],
    [
      'a genuine 565 given twice',
      afterExecution((a) =>
        emptyResponse(565, [1, 2].map(() => headerOf(a, RELAY_HEADER)).join(', ')),
      ),
    ],
    ['a genuine 565', afterExecution((replayed) => replayed)],
  ])('causes a 502 with "maybe" and no second execution (%s)', async (_what, interception) => {
    tunnel.attacker.interceptTunnel(interception);
    const before = tunnel.attacker.tunnelRequests().length;

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(tunnel.attacker.tunnelRequests().length - before).toBe(1);
    expect(await tunnel.executions()).toBe(1);
  });

  it('is not needed for an honest "maybe": without a response, the relay learns of the execution itself', async () => {
    const signedErrors: unknown[] = [];
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      const response = await deliver(request);
      signedErrors.push(client.signedErrorOf(request, response));
      return signedErrors.length === 1 ? undefined : response;
    });
    const before = tunnel.attacker.tunnelRequests().length;

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(signedErrors).toMatchObject([undefined, { status: 565, isNeverForwarded: false }]);
    const [first, second] = tunnel.attacker.tunnelRequests().slice(before).map(messageName);
    expect(second).toMatchObject({ sid: first?.sid, replaces: first?.sequence });
    expect(await tunnel.executions()).toBe(1);
  });

  it('causes at most one new session in 30 s, and ends none', async () => {
    const paired = tunnel.outbound.log.items.filter(({ msg }) => msg === 'paired').length;
    const pairings = (): number =>
      tunnel.attacker.requests.items.filter(({ path }) => path === '/api/mte-pair').length;
    expect(pairings()).toBeLessThanOrEqual(2);
    expect(paired).toBeLessThanOrEqual(2);
    tunnel.attacker.interceptTunnel(undefined);

    expect(await tunnel.send(POST)).toMatchObject({ status: 200 });
    expect(pairings()).toBeLessThanOrEqual(2);
  });
});

/** What an attacker does to a genuine sealed response. */
const CHANGES: [string, (response: WireResponse) => WireResponse][] = [
  ['another salt', (response) => withHeader(response, RELAY_HEADER, `1.${SALT_22}`)],
  ['another version', (response) => withHeader(response, RELAY_HEADER, part(response, 0, '2'))],
  ['no relay header', (response) => withHeader(response, RELAY_HEADER, undefined)],
  ['two relay headers', (a) => ({ ...a, rawHeaders: [...a.rawHeaders, ...a.rawHeaders] })],
  ['another status', (response) => ({ ...response, status: 201 })],
  ['a flipped bit in its head', (a) => ({ ...a, body: flipBit(a.body, 100) })],
  ['a flipped bit in its body', (a) => ({ ...a, body: flipBit(a.body, a.body.length * 8 - 200) })],
  ['the last byte missing', (response) => ({ ...response, body: response.body.subarray(0, -1) })],
  ['a byte after the end', (a) => ({ ...a, body: Buffer.concat([a.body, Buffer.of(0)]) })],
];

describe('#10 responses', () => {
  it('reach neither client if they are swapped', async () => {
    const waiting: ((response: WireResponse) => void)[] = [];
    const responses: WireResponse[] = [];
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      responses.push(await deliver(request));
      const mine = responses.length - 1;
      return new Promise((resolve) => {
        waiting[mine] = resolve;
        if (responses.length === 2) {
          waiting[0]?.(responses[1]!);
          waiting[1]?.(responses[0]!);
        }
      });
    });

    const [one, two] = await Promise.all([
      tunnel.send({ ...POST, body: 'secret of one' }),
      tunnel.send({ ...POST, body: 'secret of two' }),
    ]);

    for (const response of [one, two]) {
      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
      expect(response.body.toString()).not.toContain('secret of');
    }
    expect(await tunnel.executions()).toBe(2);
  });

  it.each(CHANGES)('are not passed on with %s', async (_what, change) => {
    tunnel.attacker.interceptTunnel(async (request, deliver) => change(await deliver(request)));

    // MKE has released the verified records before a bad one arrives: then only a reset can signal it.
    const mke = await tunnel.send(POST).then(
      ({ status }) => status,
      () => 'reset',
    );
    const mte = await tunnel.send({ ...POST, headers: { 'x-mte-encode-type': 'MTE' } });

    expect([502, 'reset']).toContain(mke);
    expect(mte.status).toBe(502);
    expect(errorOf(mte)).toMatchObject({ forwarded: 'maybe' });
    expect(await tunnel.executions()).toBe(2);
  });
});

describe('#10 the response to a check', () => {
  let checking: AttackedTunnel;

  beforeAll(async () => {
    checking = shared(await startAttackedTunnel());
    expect(await checking.send(POST)).toMatchObject({ status: 200 });
  });

  beforeEach(() => {
    checking.upstream.forget();
    // After this time without a response, the next POST is preceded by a check.
    checking.advance(5_000);
  });

  const answerChecksWith = async (
    forge: (response: WireResponse) => WireResponse,
  ): Promise<ClientResponse> => {
    const checks = new Recorder<WireResponse>();
    checking.attacker.interceptChecks(async (request, deliver) => {
      const response = await deliver(request);
      checks.add(response);
      return forge(response);
    });
    const response = await checking.send(POST);
    expect(checks.items).toMatchObject([{ status: 200 }]);
    return response;
  };

  it('shows that the session is alive if nobody has touched it', async () => {
    expect(await answerChecksWith((response) => response)).toMatchObject({ status: 200 });
    expect(await checking.executions()).toBe(1);
  });

  it.each(CHANGES)('is not believed with %s: nothing is sent', async (_what, change) => {
    const response = await answerChecksWith(change);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(checking.upstream.hits).toBe(0);
  });

  it('is not believed a second time', async () => {
    let first: WireResponse | undefined;
    expect(await answerChecksWith((response) => (first = response))).toMatchObject({ status: 200 });
    checking.upstream.forget();
    checking.advance(5_000);

    const response = await answerChecksWith(() => first!);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(checking.upstream.hits).toBe(0);
  });
});

describe('#8 a response in an unknown transfer coding', () => {
  it('counts as a response: after its head, even an idempotent request is not retried', async () => {
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      const { status, rawHeaders, body } = await deliver(request);
      return { status, rawHeaders: [...rawHeaders, 'transfer-encoding', 'gzip, chunked'], body };
    });

    const response = await tunnel.send({ ...POST, method: 'PUT' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(await tunnel.executions()).toBe(1);
  });
});

describe('#11 a reflected message', () => {
  it('does not open as the response to itself', async () => {
    tunnel.attacker.interceptTunnel((request) => ({
      status: 200,
      rawHeaders: [RELAY_HEADER, `1.${SALT_22}`],
      body: request.body,
    }));

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('does not open as a request if it was a response', async () => {
    const message = client.seal({ body: ['one coin'] });
    const response = await client.deliver(message);
    tunnel.upstream.forget();

    const reflected = await client.deliver(
      client.signed(`1.${client.session.sid}.900.0.mke.${SALT_22}`, response.body),
    );

    expect(reflected.status).toBe(562);
    expect(tunnel.upstream.hits).toBe(0);
  });
});
