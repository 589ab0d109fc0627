import type { PeerEntry } from '../directory.js';
import type { FileContext } from './context.js';
import { readListen } from './listen-of-peer.js';
import { PeerInFile } from './peer-in-file.js';
import type { KeyPath } from './problems.js';
import { proxyUrl } from '../../rules/proxy-url.js';
import { readEntry } from './read-entry.js';
import { readSecret, readSource } from './secrets-of-file.js';
import { Taken } from './taken.js';
import { isMapping, type Plain } from './yaml-text.js';

/** The rules that hold between the peers of one file. */
interface Shared {
  /** A secret identifies its peer: with the same one, either could play the other. */
  readonly secrets: Taken;
  /** A client that names an origin means one peer. */
  readonly origins: Taken;
  /** A host that a client of the forward proxy names means one peer. */
  readonly hosts: Taken;
  /** A listener leads to one peer. */
  readonly listeners: Taken;
}

const readProxy = (
  { proxy }: Partial<PeerInFile>,
  path: KeyPath,
  context: FileContext,
): string | undefined => {
  const text = readSource(proxy, path, context);
  return text === undefined ? undefined : context.problems.accept(path, proxyUrl(text));
};

/** How clients that know nothing of relays reach a peer is of no use if this relay cannot reach it. */
const checkReach = (
  { origins, hosts = [], listen }: Partial<PeerInFile>,
  content: Plain,
  path: KeyPath,
  { problems }: FileContext,
): void => {
  // If its origins were refused, it has some.
  const isReachable = origins?.length !== 0 && isMapping(content) && 'origins' in content;
  const without = 'needs origins: without any, the peer cannot be called';
  if (!isReachable && hosts.length > 0) {
    problems.add([...path, 'hosts'], without);
  }
  if (!isReachable && listen !== undefined) {
    problems.add([...path, 'listen'], without);
  }
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
  peer.hosts?.forEach((host, index) => {
    shared.hosts.take(host, [...path, 'hosts', index], name);
  });
  checkReach(peer, content, path, context);
  return {
    name,
    reach: { kind: 'origins', origins: [...new Set(peer.origins)] },
    secret: secret ?? '',
    secretAlt,
    transport: peer.transport ?? context.config.tunnelTransport,
    proxy: readProxy(peer, [...path, 'proxy'], context),
    hosts: peer.hosts?.length === 0 ? undefined : peer.hosts && [...new Set(peer.hosts)],
    listen: readListen(peer.listen, [...path, 'listen'], shared.listeners, context),
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
    hosts: new Taken(context.problems, (other) => `is a host of ${other} too`),
    listeners: new Taken(context.problems, (other) => `is where ${other} is too`),
  };
  return entries
    .map(([name, content]) => readPeer(name, content, shared, context))
    .filter((peer) => peer !== undefined);
}
