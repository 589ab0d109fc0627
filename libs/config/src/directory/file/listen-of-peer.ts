import { isLoopback } from '@relay/fields';

import type { ListenAddress } from '../../rules/listen-address.js';
import type { ListenAt, PeerListenEntry } from '../directory.js';
import type { FileContext } from './context.js';
import { ListenInFile } from './listen-in-file.js';
import { shownPath, type KeyPath, type Problems } from './problems.js';
import { readEntry } from './read-entry.js';
import type { Taken } from './taken.js';
import { isMapping, type Plain, type PlainMapping } from './yaml-text.js';

/** What the address of a Unix domain socket has room for, without the octet that ends it. */
const MAX_SOCKET_OCTETS = 107;
/** Only the user of the relay reaches the socket. */
const DEFAULT_MODE = 0o600;

/** What two listeners cannot both have. `localhost` may be either address. */
const takenBy = ({ host, port }: ListenAddress): readonly string[] =>
  (host === 'localhost' ? ['127.0.0.1', '::1'] : [host]).map((address) => `[${address}]:${port}`);

/** Rules between keys go by whether a key is there, so that they are judged even if its value is refused. */
const checkKeys = (given: PlainMapping, path: KeyPath, problems: Problems): void => {
  const has = (key: keyof ListenInFile): boolean => given[key] !== undefined;
  if (has('address') === has('socket')) {
    problems.add(path, 'must have either the key address or the key socket');
  }
  for (const key of (['mode', 'owner'] as const).filter((one) => has(one) && !has('socket'))) {
    problems.add([...path, key], 'is for a socket: an address has none');
  }
};

const checkExposure = (
  { address, client, exposed }: Partial<ListenInFile>,
  given: PlainMapping,
  path: KeyPath,
  problems: Problems,
): void => {
  const isOpen = address !== undefined && !isLoopback(address.host);
  if (isOpen && (given['exposed'] === undefined || exposed === false)) {
    problems.add(
      [...path, 'address'],
      'is not on loopback: that other machines may call the peer there needs exposed: true beside it',
    );
  }
  if (exposed === true && isOpen) {
    problems.warn(
      [...path, 'exposed'],
      `is true: whoever reaches the address can call the peer as the client ${client ?? ''}, without a token`,
    );
  } else if (exposed === true && given['address'] === undefined) {
    problems.warn([...path, 'exposed'], 'has no effect: no other machine reaches a socket');
  } else if (exposed === true && address !== undefined) {
    problems.warn([...path, 'exposed'], 'has no effect: the address is on loopback');
  }
};

const readAt = (
  { address, socket, mode = DEFAULT_MODE, owner }: Partial<ListenInFile>,
  path: KeyPath,
  taken: Taken,
  { files, problems }: FileContext,
): ListenAt => {
  if (address !== undefined) {
    takenBy(address).forEach((place) => {
      taken.take(place, [...path, 'address'], shownPath(path));
    });
    return { kind: 'tcp', ...address };
  }
  if (socket === undefined) {
    // Neither is there, or it was refused: either has been reported.
    return { kind: 'unix', path: '', mode, owner };
  }
  const absolute = files.pathOf(socket);
  taken.take(absolute, [...path, 'socket'], shownPath(path));
  if (Buffer.byteLength(absolute) > MAX_SOCKET_OCTETS) {
    problems.add(
      [...path, 'socket'],
      `must be a path of at most ${MAX_SOCKET_OCTETS} octets, with the folder that it is relative to`,
    );
  }
  return { kind: 'unix', path: absolute, mode, owner };
};

/**
 * Reads the listener of a peer. Problems are reported.
 *
 * @param taken - where the other listeners of the file are
 */
export function readListen(
  given: Plain | undefined,
  path: KeyPath,
  taken: Taken,
  context: FileContext,
): PeerListenEntry | undefined {
  if (given === undefined) {
    return undefined;
  }
  const { problems } = context;
  const listen = readEntry(ListenInFile, given, path, problems);
  if (listen === undefined || !isMapping(given)) {
    return undefined;
  }
  checkKeys(given, path, problems);
  checkExposure(listen, given, path, problems);
  return { at: readAt(listen, path, taken, context), client: listen.client ?? '' };
}
