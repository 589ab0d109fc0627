import type { PeerEntry } from '../directory.js';
import type { FileContext } from './context.js';
import { PeerInFile } from './peer-in-file.js';
import type { KeyPath } from './problems.js';
import { proxyUrl } from '../../rules/proxy-url.js';
import { readEntry } from './read-entry.js';
import { readSecret, readSource } from './secrets-of-file.js';
import { Taken } from './taken.js';
import type { Plain } from './yaml-text.js';

/** The rules that hold between the peers of one file. */
interface Shared {
  /** A secret identifies its peer: with the same one, either could play the other. */
  readonly secrets: Taken;
  /** A client that names an origin means one peer. */
  readonly origins: Taken;
}

const readProxy = (
  { proxy }: Partial<PeerInFile>,
  path: KeyPath,
  context: FileContext,
): string | undefined => {
  const text = readSource(proxy, path, context);
  return text === undefined ? undefined : context.problems.accept(path, proxyUrl(text));
};

const readPeer = (
  name: string,
  content: Plain,
  shared: Shared,
  context: FileContext,
): PeerEntry | undefined => {
  const path = ['peers', name];
  const { problems } = context;
  const peer = readEntry(PeerInFile, content, path, problems);
  if (peer === undefined) {
    return undefined;
  }
  const secret = readSecret(peer.secret, [...path, 'secret'], context);
  const secretAlt = readSecret(peer.secretAlt, [...path, 'secretAlt'], context);
  if (secret !== undefined && secret === secretAlt) {
    problems.warn([...path, 'secretAlt'], 'equals secret: nothing rotates');
  }
  shared.secrets.take(secret, [...path, 'secret'], name);
  shared.secrets.take(secretAlt, [...path, 'secretAlt'], name);
  peer.origins?.forEach((origin, index) => {
    shared.origins.take(origin, [...path, 'origins', index], name);
  });
  return {
    name,
    reach: { kind: 'origins', origins: [...new Set(peer.origins)] },
    secret: secret ?? '',
    secretAlt,
    transport: peer.transport ?? context.config.tunnelTransport,
    proxy: readProxy(peer, [...path, 'proxy'], context),
  };
};

/** Reads the peers of a file. Problems are reported. */
export function readPeers(
  entries: readonly (readonly [name: string, content: Plain])[],
  context: FileContext,
): readonly PeerEntry[] {
  const shared = {
    secrets: new Taken(context.problems, (other) => `is the secret of ${other} too`),
    origins: new Taken(context.problems, (other) => `is an origin of ${other} too`),
  };
  return entries
    .map(([name, content]) => readPeer(name, content, shared, context))
    .filter((peer) => peer !== undefined);
}
