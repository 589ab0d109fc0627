import type { ClientEntry } from '../directory.js';
import type { FileContext } from './context.js';
import { ClientInFile } from './client-in-file.js';
import { checkPeerNames } from './known-names.js';
import { readEntry } from './read-entry.js';
import { Taken } from './taken.js';
import type { Plain } from './yaml-text.js';

/**
 * Reads the clients of a file. Problems are reported.
 *
 * @param peers - the names of all peers of the file
 * @param listenClients - the clients in whose name requests are made at listeners of peers, for which they need no token
 */
export function readClients(
  entries: readonly (readonly [name: string, content: Plain])[],
  peers: readonly string[],
  listenClients: ReadonlySet<string>,
  context: FileContext,
): readonly ClientEntry[] {
  const { problems } = context;
  const tokens = new Taken(problems, (other) => `is the token of ${other} too`);
  return entries.flatMap(([name, content]) => {
    const path = ['clients', name];
    const client = readEntry(ClientInFile, content, path, problems);
    if (client === undefined) {
      return [];
    }
    const { tokens: given = [], limits } = client;
    const { requestsPerSecond, concurrent } = limits ?? {};
    given.forEach(({ sha256 }, index) => {
      tokens.take(sha256, [...path, 'tokens', index, 'sha256'], name);
    });
    if (client.tokens?.length === 0 && !listenClients.has(name)) {
      problems.warn([...path, 'tokens'], 'is empty: nobody can be this client');
    }
    checkPeerNames(client.peers, [...path, 'peers'], peers, problems);
    return [
      {
        name,
        tokens: given.map(({ sha256, expires }) => ({ sha256, expiresAtMs: expires })),
        peers: client.peers,
        limits: { requestsPerSecond, concurrent },
      },
    ];
  });
}
