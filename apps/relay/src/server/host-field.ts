import type { IncomingMessage } from 'node:http';

const HOST = 'host';

/** Whether a request has exactly one host field; in HTTP/1.0 it may be absent. RFC 9112 section 3.2. */
export function hasRightHost({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === HOST.length && name.toLowerCase() === HOST) {
      hosts += 1;
    }
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}
