import { expect, it } from 'vitest';

import { listeningOrigin } from './listening-origin.js';

it.each([
  ['http', '0.0.0.0', 'IPv4', 'http://0.0.0.0:8080'],
  ['https', '127.0.0.1', 'IPv4', 'https://127.0.0.1:8080'],
  ['http', '::', 'IPv6', 'http://[::]:8080'],
] as const)(
  'over %s on the address %s of %s is listening on %s',
  (protocol, address, family, origin) => {
    expect(listeningOrigin(protocol, { address, family, port: 8080 })).toBe(origin);
  },
);
