import type { Socket } from 'node:net';

import { SECURITY_FIELDS } from './security-fields.js';

interface Refusal {
  readonly status: string;
  readonly error: string;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    error: 'the head of the request is too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    error: 'the request did not arrive in time',
  },
};

const OTHER: Refusal = { status: '400 Bad Request', error: 'the request cannot be parsed' };

/** Responds to what Node.js cannot parse, for which there is neither a request nor a response, and closes the connection. */
export function refuseUnparsable({ code = '' }: { readonly code?: string }, socket: Socket): void {
  // After an earlier response this one could be taken for a part of it.
  if (code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, error } = REFUSALS[code] ?? OTHER;
  const body = JSON.stringify({ error });
  const fields = {
    ...SECURITY_FIELDS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => {
    socket.destroy();
  });
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
  socket.destroySoon();
}
