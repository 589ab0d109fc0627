import { networkInterfaces } from 'node:os';

import { describe, expect, it } from 'vitest';

import { isOwn } from './own-listener.js';

const anyOwnAddress = Object.values(networkInterfaces()).flat()[0]?.address ?? '127.0.0.1';

describe('isOwn', () => {
  it.each([['127.0.0.1'], ['127.0.0.53'], ['::1'], [anyOwnAddress]])(
    'takes %s for this machine if the relay listens at every address',
    (address) => {
      expect(isOwn(address, 8080, { host: '0.0.0.0', port: 8080 })).toBe(true);
      expect(isOwn(address, 8081, { host: '0.0.0.0', port: 8080 })).toBe(false);
    },
  );

  it('takes only its own address for it if the relay listens at one', () => {
    expect(isOwn('127.0.0.2', 8080, { host: '127.0.0.2', port: 8080 })).toBe(true);
    expect(isOwn('127.0.0.1', 8080, { host: '127.0.0.2', port: 8080 })).toBe(false);
  });

  it.each([['192.0.2.7'], ['2001:db8::7'], ['']])('takes %j for another machine', (address) => {
    expect(isOwn(address, 8080, { host: '::', port: 8080 })).toBe(false);
  });
});
