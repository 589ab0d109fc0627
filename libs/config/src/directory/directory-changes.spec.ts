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

it('calls the hosts and the listener of a peer what the file calls them', () => {
  const listen = (port: number): PeerEntry['listen'] => ({
    at: { kind: 'tcp', host: '127.0.0.1', port },
    client: 'c',
  });
  const before = directory({
    peers: [peer('a', { hosts: undefined, listen: undefined }), peer('b', { listen: listen(1) })],
  });
  const after = directory({
    peers: [peer('a', { hosts: ['a.example:80'] }), peer('b', { listen: listen(2) })],
  });
  expect(directoryChanges(before, after)).toEqual([
    'peer a: changed hosts',
    'peer b: changed listen',
  ]);
});
