import type { ListenAt } from './directory.js';

/** Returns where a listener is, as the file may have it: `[::1]:9101`, or the path of a socket. */
export function shownListenAt(at: ListenAt): string {
  if (at.kind === 'unix') {
    return at.path;
  }
  return `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
}
