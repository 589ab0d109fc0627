import { deriveSecretKeys } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  errorOf,
  request,
  type ClientRequestSpec,
  type ClientResponse,
} from '../support/clients/client.js';
import {
  deliverTo,
  startManInTheMiddle,
  type ManInTheMiddle,
  type WireRequest,
} from '../support/attackers/man-in-the-middle.js';
import { pairingRequest } from '../support/attackers/protocol-client.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { SECRET, TOKEN } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const COPIES = 200;
const POST = { method: 'POST', path: '/pay', body: 'one coin' };

const shared = sharedResources();
let upstream: Upstream;
let inbound: readonly RelayProcess[];
let outbound: RelayProcess;
let attacker: ManInTheMiddle;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  const redis = await startRedisServer();
  shared({ close: () => redis.stop() });
  const environment = { UPSTREAM: upstream.url, REDIS_URL: redis.url };
  inbound = await Promise.all([startRelayProcess(environment), startRelayProcess(environment)]);
  inbound.forEach(shared);
  outbound = shared(await startRelayProcess());
  attacker = shared(await startManInTheMiddle(inbound[0]!.url));
});

beforeEach(() => {
  attacker.interceptTunnel(undefined);
  upstream.forget();
});

const send = (spec: ClientRequestSpec): Promise<ClientResponse> =>
  request(outbound.url, {
    ...spec,
    headers: {
      'x-mte-outbound-token': TOKEN,
      'x-mte-upstream': attacker.url,
      ...spec.headers,
    },
  });

/** Delivers copies of a request at the same time, alternating between the two relays. */
const race = (captured: WireRequest) =>
  Promise.all(
    Array.from({ length: COPIES }, (_, at) =>
      deliverTo(inbound[at % inbound.length]!.url, captured),
    ),
  );

describe('two inbound relay processes on one Redis (#5)', () => {
  it.each(['MKE', 'MTE'])('execute one of 200 racing copies of a request (%s)', async (type) => {
    const statuses: number[] = [];
    attacker.interceptTunnel(async (captured) => {
      const responses = await race(captured);
      statuses.push(...responses.map(({ status }) => status));
      return responses.find(({ status }) => status === 200);
    });

    const response = await send({ ...POST, headers: { 'x-mte-encode-type': type } });

    expect(response).toMatchObject({ status: 200 });
    expect(response.body.toString()).toBe(POST.body);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 565)).toHaveLength(COPIES - 1);
    expect(upstream.hits).toBe(1);
  });

  it('execute none of 200 copies of a request that was served before', async () => {
    expect(await send(POST)).toMatchObject({ status: 200 });
    const responses = await race(attacker.tunnelRequests().at(-1)!);

    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([565]));
    expect(upstream.hits).toBe(1);
  });

  it('execute one of 200 copies of a request whose sender got "maybe"', async () => {
    attacker.interceptTunnel(() => undefined);
    const response = await send(POST);
    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });

    const responses = await race(attacker.tunnelRequests().at(-1)!);

    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(upstream.hits).toBe(1);
  });

  it('create one session from 200 racing copies of a pairing request (#6)', async () => {
    const { request: pairing } = await pairingRequest(attacker.url, await deriveSecretKeys(SECRET));

    const responses = await race(pairing);

    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 565)).toHaveLength(COPIES - 1);
  });
});
