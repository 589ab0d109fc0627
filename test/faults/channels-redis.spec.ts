import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';

import { underLoad } from '../support/assertions/fault-under-load.js';
import { expectUsualChannels } from '../support/assertions/usual-channels.js';
import type { SteadyLoad } from '../support/clients/steady-load.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startFleet, type Fleet } from '../support/processes/fleet.js';

/** Long enough for requests of every kind to begin and to end during the fault. */
const REQUESTS_DURING_FAULT = 60;

const shared = sharedResources();
let fleet: Fleet;

beforeAll(async () => {
  fleet = shared(await startFleet({ transport: 'channel' }));
});

/** Runs a fault of Redis between others; the channels were open before. */
const withoutLoss = async (
  annotate: (message: string) => unknown,
  fault: (load: SteadyLoad) => Promise<unknown>,
): Promise<void> => {
  const { failed, summary } = await underLoad(fleet, fault);
  await annotate(summary);
  expect(failed, summary).toEqual([]);
};

/** New channels need a session, and that needs Redis: a reset shows that they are opened again by themselves. */
const expectNewChannels = async (annotate: (message: string) => unknown): Promise<void> => {
  const { summary } = await underLoad(fleet, async (load) => {
    for (const { relay } of fleet.inbound) {
      fleet.network.cut(relay.port);
      fleet.network.heal(relay.port);
    }
    await load.pass(20);
  });
  await annotate(summary);
  await expectUsualChannels(fleet);
};

const command = async (name: string, ...args: string[]): Promise<void> => {
  const client = new Redis(fleet.redis.url);
  await client.call(name, ...args);
  client.disconnect();
};

describe('relays with open channels, under load', () => {
  it('lose no request when Redis is killed and comes back empty, and then open channels again', async ({
    annotate,
  }) => {
    await withoutLoss(annotate, async (load) => {
      await fleet.redis.kill();
      await load.pass(REQUESTS_DURING_FAULT);
      await fleet.restartRedis('nothing');
    });
    await expectNewChannels(annotate);
  });

  it('lose no request when Redis loses all it has, and then open channels again', async ({
    annotate,
  }) => {
    await withoutLoss(annotate, async (load) => {
      await command('FLUSHALL');
      await load.pass(REQUESTS_DURING_FAULT);
    });
    await expectNewChannels(annotate);
  });

  it('lose no request when Redis answers nothing for a while, and then open channels again', async ({
    annotate,
  }) => {
    await withoutLoss(annotate, async (load) => {
      await command('CLIENT', 'PAUSE', '60000', 'ALL');
      await load.pass(REQUESTS_DURING_FAULT);
      // A paused server holds back the command that would end the pause, but not a signal.
      process.kill(fleet.redis.pid, 'SIGSTOP');
      await load.pass(REQUESTS_DURING_FAULT);
      process.kill(fleet.redis.pid, 'SIGCONT');
      await fleet.redis.kill();
      await fleet.restartRedis('nothing');
    });
    await expectNewChannels(annotate);
  });
});
