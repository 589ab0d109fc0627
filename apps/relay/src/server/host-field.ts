import type { IncomingMessage } from 'node:http';

const HOST = 'host';

/** Whether a request names one host; HTTP/1.0 may name none. RFC 9112 section 3.2. */
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
