import type { ListenAt } from '@relay/config';

/** What the codes of the operating system mean to an operator. */
const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'this process may not listen there',
  EPERM: 'this process may not give the socket to another user or group',
  EROFS: 'its folder is read-only',
  ENOTDIR: 'its folder is a file',
};

/** Why a listener could not be opened. */
export function listenErrorOf(error: unknown, at: ListenAt): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && at.kind === 'unix') {
    return 'its folder does not exist';
  }
  return CAUSES[code] ?? message;
}
