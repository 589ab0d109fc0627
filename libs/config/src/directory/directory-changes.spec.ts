import { expect, it } from 'vitest';

import { directoryChanges } from './directory-changes.js';
import type { ClientEntry, Directory, PeerEntry } from './directory.js';

const peer = (name: string, more: Partial<PeerEntry> = {}): PeerEntry => ({
  name,
  reach: { kind: 'origins', origins: [] },
  secret: 'canary-of-a-secret',
  transport: 'auto',
  ...more,
});
const client = (name: string, more: Partial<ClientEntry> = {}): ClientEntry => ({
  name,
  tokens: [],
  limits: {},
  ...more,
});
const directory = (more: Partial<Directory>): Directory => ({
  peers: [],
  clients: [],
  tenants: [],
  ...more,
});

it('says by name and key what was added, removed and changed, and shows no secret', () => {
  const before = directory({ peers: [peer('a'), peer('b')], clients: [client('c'), client('')] });
  const after = directory({
    peers: [
      peer('a', { secret: 'another-canary', reach: { kind: 'origins', origins: ['https://a'] } }),
      peer('d'),
    ],
    clients: [client('c'), client('', { limits: { concurrent: 1 } })],
  });
  expect(directoryChanges(before, after)).toEqual([
    'peer a: changed origins, secret',
    'peer b: removed',
    'peer d: added',
    'client of the variables: changed limits',
  ]);
  expect(directoryChanges(after, after)).toEqual([]);
});
