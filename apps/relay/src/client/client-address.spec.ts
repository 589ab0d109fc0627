import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { clientAddress } from './client-address.js';

describe('the address of a client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::1', '[2001:db8::1]'],
    ['fe80::1%eth0', '[fe80::1]'],
    ['::1', '[::1]'],
    [undefined, undefined],
  ])('%s is stated as %s', (remoteAddress, stated) => {
    expect(clientAddress({ remoteAddress } as Socket)).toBe(stated);
  });
});
