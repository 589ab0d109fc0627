import { createHash } from 'node:crypto';

import type { ClientEntry } from '@relay/config';

import { DirectoryService } from '../../../apps/relay/src/directory/directory.service.js';
import type { TestRelay } from './relay.js';

/** A client in a directory, as a test describes it. */
export interface TestClient {
  readonly name: string;
  readonly token: string;
  readonly expiresAtMs?: number;
  readonly limits?: ClientEntry['limits'];
}

/** SHA-256 of a token, as a directory has it. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Replaces the clients of a running relay, as a change of its file does. */
export async function replaceClients(
  { app }: TestRelay,
  ...clients: readonly TestClient[]
): Promise<void> {
  const directory = app.get(DirectoryService);
  await directory.replace({
    ...directory.current.entries,
    clients: clients.map(({ name, token, expiresAtMs, limits = {} }) => ({
      name,
      tokens: [{ sha256: digestOf(token), expiresAtMs }],
      limits,
    })),
  });
}
