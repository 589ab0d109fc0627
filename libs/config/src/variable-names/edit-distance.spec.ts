import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../../../test/support/lifecycle/property.js';
import { editDistance } from './edit-distance.js';

it.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['UPSTREEM', 'UPSTREAM', 1],
  ['UPSTRAEM', 'UPSTREAM', 1],
  ['LOGLEVEL', 'LOG_LEVEL', 1],
  ['RELAY_AUDIENCES', 'RELAY_AUDIENCE', 1],
  ['MTEROUTE', 'MTE_ROUTES', 2],
  ['ca', 'abc', 3],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %i steps', (from, to, steps) => {
  expect(editDistance(from, to)).toBe(steps);
  expect(editDistance(to, from)).toBe(steps);
});

it('one change is one step, wherever it is', () => {
  const change = fc.constantFrom<(text: string, at: number) => string>(
    (text, at) => `${text.slice(0, at)}#${text.slice(at)}`,
    (text, at) => `${text.slice(0, at)}#${text.slice(at + 1)}`,
    (text, at) => text.slice(0, at) + text.slice(at + 1),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z_]{1,20}$/), fc.nat(19), change, (text, place, apply) => {
      expect(editDistance(text, apply(text, place % text.length))).toBe(1);
    }),
    runs(),
  );
});
