import { createServer } from 'node:http';

import { describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { closedPort } from '../support/network/listen.js';
import { connectRedis } from '../support/redis/session-store.js';
import { TOKEN, startRelay } from '../support/relays/relay.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';
import { ID_HEADER, startCountingUpstream } from '../support/upstreams/counting-upstream.js';

const OK = { status: 200 };
const MAYBE = { status: 502, forwarded: 'maybe' };
/** After this time without a response, relay A checks the session before it sends what it may not retry. */
const CHECK_AFTER_MS = 5_000;

describe('relay B with memory://, restarted between two requests (README)', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])('serves the next %s, once', async (method) => {
    const upstream = forThisTest(await startCountingUpstream());
    const PORT = String(await closedPort(createServer()));
    const environment = {
      UPSTREAM: upstream.url,
      PORT,
      RELAY_AUDIENCE: `http://127.0.0.1:${PORT}`,
    };
    const outbound = forThisTest(await startRelay());
    const send = (id: string) =>
      request(outbound.url, {
        method,
        body: 'one coin',
        headers: {
          'x-mte-outbound-token': TOKEN,
          'x-mte-upstream': environment.RELAY_AUDIENCE,
          [ID_HEADER]: id,
        },
      });

    const inbound = await startRelay(environment);
    expect(await send('before')).toMatchObject(OK);
    await inbound.close();
    forThisTest(await startRelay(environment));
    expect(await send('after')).toMatchObject(OK);

    expect([upstream.executions('before'), upstream.executions('after')]).toEqual([1, 1]);
  });

  it('serves the next POST, once, although an intermediary hides the restart', async () => {
    const tunnel = await ProofTunnel.start();
    expect(await tunnel.send({ id: 'before' })).toEqual(OK);

    await tunnel.restartInbound();
    tunnel.advance(CHECK_AFTER_MS);
    expect(await tunnel.send({ id: 'after' })).toEqual(OK);

    expect(tunnel.executions('before')).toEqual({ A: 0, B: 1 });
    expect(tunnel.executions('after')).toEqual({ A: 0, B: 1 });
    expect(tunnel.path.messages.items.length).toBe(2);
  });

  it('serves 20 POSTs that arrive together, each once, although an intermediary hides the restart', async () => {
    const tunnel = await ProofTunnel.start();
    const ids = Array.from({ length: 20 }, (_, at) => String(at));
    expect(await tunnel.send({ id: 'before' })).toEqual(OK);

    await tunnel.restartInbound();
    tunnel.advance(CHECK_AFTER_MS);
    const outcomes = await Promise.all(ids.map((id) => tunnel.send({ id })));

    expect(outcomes).toEqual(ids.map(() => OK));
    expect(ids.map((id) => tunnel.executions(id)['B'])).toEqual(ids.map(() => 1));
  });
});

describe('a Redis that is flushed', () => {
  const startFlushable = async () => {
    const REDIS_URL = await sharedStore();
    const redis = forThisTest(connectRedis(REDIS_URL));
    const tunnel = await ProofTunnel.start({ inbound: { REDIS_URL } });
    return { tunnel, flush: () => redis.flushall() };
  };

  it.each(['GET', 'HEAD', 'OPTIONS'])('costs a %s nothing between two requests', async (method) => {
    const { tunnel, flush } = await startFlushable();
    expect(await tunnel.send({ id: 'before', method })).toEqual(OK);

    await flush();
    expect(await tunnel.send({ id: 'after', method })).toEqual(OK);

    expect(tunnel.executions('after')).toEqual({ A: 0, B: 1 });
  });

  it('costs a GET nothing that is under way', async () => {
    const { tunnel, flush } = await startFlushable();

    const outcome = await tunnel.send({ id: 'read', method: 'GET' }, async (message) => {
      await flush();
      return tunnel.inbound.deliver(message);
    });

    expect(outcome).toEqual(OK);
    expect(tunnel.executions('read')).toEqual({ A: 0, B: 1 });
  });

  it('costs a POST nothing that comes later, because relay A checks the session first', async () => {
    const { tunnel, flush } = await startFlushable();
    expect(await tunnel.send({ id: 'before' })).toEqual(OK);

    await flush();
    tunnel.advance(CHECK_AFTER_MS);
    expect(await tunnel.send({ id: 'after' })).toEqual(OK);

    expect(tunnel.path.messages.items.length).toBe(2);
    expect(tunnel.executions('after')).toEqual({ A: 0, B: 1 });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'gives the client of a %s that is under way an honest "maybe"',
    async (method) => {
      const { tunnel, flush } = await startFlushable();

      const outcome = await tunnel.send({ id: 'pay', method }, async (message) => {
        await flush();
        return tunnel.inbound.deliver(message);
      });

      expect(outcome).toEqual(MAYBE);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
      expect(await tunnel.send({ id: 'next', method })).toEqual(OK);
    },
  );
});

describe('a connection that breaks before a message reaches relay B', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])('costs a %s nothing', async (method) => {
    const tunnel = await ProofTunnel.start();

    expect(await tunnel.send({ id: 'pay', method }, () => undefined)).toEqual(OK);

    expect(tunnel.path.messages.items.length).toBe(2);
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
  });
});
