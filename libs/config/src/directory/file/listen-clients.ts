import type { ClientEntry, PeerEntry } from '../directory.js';
import { checkName } from './known-names.js';
import { shownPath, type Problems } from './problems.js';

/**
 * Reports the listeners whose client does not exist, or may not call their peer.
 *
 * @param names - of all clients of the file, also of those that have problems of their own
 */
export function checkListenClients(
  peers: readonly PeerEntry[],
  clients: readonly ClientEntry[],
  names: readonly string[],
  problems: Problems,
): void {
  const known = new Map(clients.map((client) => [client.name, client]));
  for (const { name, listen } of peers) {
    // Without a client, the listener has been reported.
    if (listen === undefined || listen.client === '') {
      continue;
    }
    const path = ['peers', name, 'listen', 'client'];
    checkName(listen.client, path, 'clients', names, problems);
    if (known.get(listen.client)?.peers?.includes(name) === false) {
      const list = shownPath(['clients', listen.client, 'peers']);
      problems.add(path, `must be a client that may call the peer: add ${name} to ${list}`);
    }
  }
}
