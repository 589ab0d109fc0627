import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

import { ConfigInvalidError } from '@relay/config';

import type { KnownListener } from '../directory/known-listeners.js';
import { isOtherThanSocket } from './unix-socket.js';

/** What the codes of the operating system mean to an operator. */
const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'this process may not listen there',
  EPERM: 'this process may not give the socket to another user or group',
  EROFS: 'its folder is read-only',
  ENOTDIR: 'its folder is a file',
};

/** Says why a listener cannot be as its peer has it. @param name - where it is */
export function listenErrorOf(
  error: unknown,
  name: string,
  { at, peer }: KnownListener,
): ConfigInvalidError {
  return new ConfigInvalidError([
    `peers.${peer.name}.listen: ${name} cannot be opened: ${causeOf(error, at)}`,
  ]);
}

function causeOf(error: unknown, at: KnownListener['at']): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const cause = at.kind === 'unix' ? causeAtPath(code, at.path) : undefined;
  return cause ?? CAUSES[code] ?? message;
}

/** What the code of the operating system alone does not tell of a socket. */
function causeAtPath(code: string, path: string): string | undefined {
  // Node.js says EACCES then, as for a folder that is there and closed.
  if (isMissing(dirname(path))) {
    return 'its folder does not exist';
  }
  if (code === 'ENOENT') {
    return 'the socket was removed: remove the listener from the file, and add it again';
  }
  return code === 'EADDRINUSE' && isOtherThanSocket(path)
    ? 'something is there that is no socket, and it stays'
    : undefined;
}

function isMissing(folder: string): boolean {
  try {
    lstatSync(folder);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
