import { RELAY_HEADER, deriveSecretKeys, type SecretKeys } from '@relay/protocol';
import { verifyError, type SignedError } from '@relay/signature';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { PeerSession } from '../../apps/relay/src/peers/peer-session.js';
import { startAttackedTunnel, type AttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf } from '../support/clients/client.js';
import { flipBit } from '../support/attackers/corruption.js';
import {
  deliverTo,
  headerOf,
  type WireResponse,
  type WireRequest,
} from '../support/attackers/man-in-the-middle.js';
import { SECRET, startRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { echoBody } from '../support/upstreams/upstream.js';

const POST = { method: 'POST', path: '/pay', body: 'one coin' };

const shared = sharedResources();
let tunnel: AttackedTunnel;
let keys: SecretKeys;

beforeAll(async () => {
  tunnel = shared(await startAttackedTunnel());
  keys = await deriveSecretKeys(SECRET);
});

beforeEach(() => {
  tunnel.attacker.interceptTunnel(undefined);
  tunnel.upstream.forget();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** The verified signed error in the response to a request; undefined if there is none. */
const signedErrorOf = (request: WireRequest, response: WireResponse): SignedError | undefined =>
  verifyError(
    keys,
    headerOf(request, 'x-mte-client-id'),
    headerOf(response, RELAY_HEADER),
    response.status,
  );

describe('#5 a captured request', () => {
  it('is refused as a replay, and has been executed once', async () => {
    expect(await tunnel.send(POST)).toMatchObject({ status: 200 });
    const captured = tunnel.attacker.tunnelRequests().at(-1)!;

    const response = await tunnel.attacker.deliver(captured);

    expect(signedErrorOf(captured, response)).toMatchObject({
      status: 565,
      isNeverForwarded: false,
    });
    expect(await tunnel.executions()).toBe(1);
  });

  it.each(['MKE', 'MTE'])('is executed once if 200 copies of it race (%s)', async (type) => {
    const statuses: number[] = [];
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      const responses = await Promise.all(Array.from({ length: 200 }, () => deliver(request)));
      statuses.push(...responses.map(({ status }) => status));
      return responses.find(({ status }) => status === 200);
    });

    const response = await tunnel.send({ ...POST, headers: { 'x-mte-encode-type': type } });

    expect(response).toMatchObject({ status: 200 });
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 565)).toHaveLength(199);
    expect(await tunnel.executions()).toBe(1);
  });

  it.each([
    ['the first message', [0, 1, 0, 1]],
    ['its replacement', [1, 0, 1, 0]],
  ])('can be delivered later, once, if it never arrived: %s', async (_which, order) => {
    const kept: WireRequest[] = [];
    tunnel.attacker.interceptTunnel((request) => {
      kept.push(request);
      return undefined;
    });
    const response = await tunnel.send(POST);
    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(kept).toHaveLength(2);

    const late: number[] = [];
    for (const at of order) {
      late.push((await tunnel.attacker.deliver(kept[at]!)).status);
    }

    expect(late).toEqual([200, 565, 565, 565]);
    expect(await tunnel.executions()).toBe(1);
  });

  it('is unknown to another relay with the same secret, and refused unsigned by its own sender', async () => {
    const other = forThisTest(await startRelay({ UPSTREAM: tunnel.upstream.url }));
    await tunnel.send(POST);
    const captured = tunnel.attacker.tunnelRequests().at(-1)!;
    const [first] = tunnel.upstream.requests.items;

    const unknown = await deliverTo(other.url, captured);
    const reflected = await deliverTo(tunnel.outbound.url, captured);

    expect(signedErrorOf(captured, unknown)).toMatchObject({
      status: 560,
      isNeverForwarded: false,
    });
    expect([reflected.status, headerOf(reflected, RELAY_HEADER)]).toEqual([566, '']);
    expect(tunnel.upstream.requests.items).toEqual([first]);
  });
});

describe('#7 a POST that is corrupted in transit', () => {
  it('consumes its sequence number before its sender gets the error: the original is refused after the retry', async () => {
    const attempts: WireRequest[] = [];
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      attempts.push(request);
      return deliver(
        attempts.length === 1 ? { ...request, body: flipBit(request.body, 1000) } : request,
      );
    });

    expect(await tunnel.send(POST)).toMatchObject({ status: 200 });
    const late = await tunnel.attacker.deliver(attempts[0]!);

    expect(attempts).toHaveLength(2);
    expect(signedErrorOf(attempts[0]!, late)).toMatchObject({ status: 565 });
    expect(await tunnel.executions()).toBe(1);
  });

  it('is refused as a replay if the original was delivered first, and is not executed again', async () => {
    const responses: WireResponse[] = [];
    tunnel.attacker.interceptTunnel(async (request, deliver) => {
      await deliver(request);
      const response = await deliver({ ...request, body: flipBit(request.body, 1000) });
      responses.push(response);
      return response;
    });

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(responses.map(({ status }) => status)).toEqual([565]);
    expect(await tunnel.executions()).toBe(1);
  });

  it('is not retried forever if every attempt is corrupted', async () => {
    tunnel.attacker.interceptTunnel((request, deliver) =>
      deliver({ ...request, body: flipBit(request.body, 1000) }),
    );
    const before = tunnel.attacker.tunnelRequests().length;

    const response = await tunnel.send(POST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(tunnel.attacker.tunnelRequests().length - before).toBe(2);
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#9 a session that has expired', () => {
  const LIFETIME = { SESSION_LIFETIME_SECONDS: '300' };

  it('is no proof that nothing ran under it: an executed request is not sent again', async () => {
    const expiring = forThisTest(
      await startAttackedTunnel({ inbound: LIFETIME, handler: () => undefined }),
    );
    const signedErrors: unknown[] = [];
    expiring.attacker.interceptTunnel(async (request, deliver) => {
      // The upstream goes on executing the first copy until the test ends.
      deliver(request).catch(() => undefined);
      await expiring.upstream.requests.find();
      expiring.advance(301_000);
      const replayed = await deliver(request);
      signedErrors.push(signedErrorOf(request, replayed));
      return replayed;
    });

    const response = await expiring.send(POST);

    expect(signedErrors).toMatchObject([{ isNeverForwarded: false }]);
    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(expiring.upstream.hits).toBe(1);
  });

  it('is replaced in advance: after 90 % of its lifetime, a message gets a new session', async () => {
    const aging = forThisTest(await startAttackedTunnel({ inbound: LIFETIME, handler: echoBody }));
    await aging.send(POST);
    aging.advance(271_000);

    await aging.send(POST);

    const sids = aging.attacker
      .tunnelRequests()
      .map((request) => headerOf(request, RELAY_HEADER).split('.')[1]);
    expect(new Set(sids).size).toBe(2);
    expect(await aging.executions()).toBe(2);
  });
});

describe('#38 a copy of a running relay', () => {
  it('uses other keys for the same sequence number than the original, and is refused', async () => {
    // A tunnel of its own: no connection of an earlier test can end here and cause a check, which takes a number as well.
    const copied = forThisTest(await startAttackedTunnel());
    await copied.send(POST);
    vi.spyOn(PeerSession.prototype, 'takeSequence').mockReturnValue(1_000);
    const before = copied.attacker.tunnelRequests().length;

    expect(await copied.send(POST)).toMatchObject({ status: 200 });
    const response = await copied.send(POST);

    expect(response.status).toBe(502);
    const headers = copied.attacker
      .tunnelRequests()
      .slice(before)
      .map((request) => headerOf(request, RELAY_HEADER).split('.'));
    expect(headers.map(([, , sequence]) => sequence)).toEqual(['1000', '1000']);
    expect(headers[0]?.[1]).toBe(headers[1]?.[1]);
    expect(headers[0]?.at(-1)).not.toBe(headers[1]?.at(-1));
    expect(await copied.executions()).toBe(2);
  });
});
