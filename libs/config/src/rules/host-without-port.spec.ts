import { expect, it } from 'vitest';

import { hostWithoutPort } from './host-without-port.js';
import { Refused } from './rule.js';

it.each([
  ['Relay.Internal', 'relay.internal'],
  ['relay', 'relay'],
  ['10.0.0.7', '10.0.0.7'],
  ['::1', '[::1]'],
  ['[FE80:0::1]', '[fe80::1]'],
  ['relay.internal.', 'relay.internal'],
])('%s is %s', (text, host) => {
  expect(hostWithoutPort(text)).toBe(host);
});

it.each([
  '',
  'relay:9464',
  'relay:80',
  '[::1]:80',
  'http://relay',
  'relay/',
  '*.relay',
  'a b',
  '::1%lo',
])('%j is refused', (text) => {
  expect(hostWithoutPort(text)).toBeInstanceOf(Refused);
});
