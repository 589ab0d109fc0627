import { Test } from '@nestjs/testing';
import { RelayConfigModule } from '@relay/config';
import {
  SessionModule,
  SessionService,
  SessionStore,
  StoreHealth,
  type StoreReport,
} from '@relay/session';
import { Redis } from 'ioredis';

import { relayConfig } from './config.js';
import { Recorder } from './recorder.js';

/** A store of sessions as a relay has it: wired by its module, told what to do by the environment. */
export interface OpenedStore {
  readonly store: SessionStore;
  readonly sessions: SessionService;
  readonly health: StoreHealth;
  readonly reports: Recorder<StoreReport>;
  close(): Promise<void>;
}

/** Opens a store as at the start of a relay, which does not wait until it is within reach. */
export async function openStore(
  REDIS_URL: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenedStore> {
  const config = relayConfig({ REDIS_URL, ...environment });
  const module = await Test.createTestingModule({
    imports: [RelayConfigModule.register(config), SessionModule],
  }).compile();
  await module.init();
  const health = module.get<StoreHealth>(StoreHealth);
  const reports = new Recorder<StoreReport>();
  health.watch((report) => {
    reports.add(report);
  });
  return {
    store: module.get<SessionStore>(SessionStore),
    sessions: module.get(SessionService),
    health,
    reports,
    close: () => module.close(),
  };
}

/** Opens a store and waits until it is within reach. */
export async function openReadyStore(...args: Parameters<typeof openStore>): Promise<OpenedStore> {
  const opened = await openStore(...args);
  await opened.reports.find(({ state }) => state === 'available');
  return opened;
}

/** A connection of an operator, past the store. */
export function connectRedis(url: string): Redis & { close(): Promise<void> } {
  const client = new Redis(url, { protocol: 2, replyMapping: 'legacy' });
  // Tests take servers away; what they need of the connection they await themselves.
  client.on('error', () => undefined);
  return Object.assign(client, {
    close: () => {
      client.disconnect();
      return Promise.resolve();
    },
  });
}
