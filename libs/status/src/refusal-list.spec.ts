import { expect, it } from 'vitest';

import { RefusalList } from './refusal-list.js';
import { MAX_REFUSALS } from './status-report.js';

const refusal = (atMs: number, code: string) => ({
  atMs,
  code,
  role: 'outbound',
  requestId: `request ${atMs}`,
});

it('the last refusals are kept, newest first', () => {
  const list = new RefusalList();
  for (let atMs = 1; atMs <= MAX_REFUSALS + 5; atMs += 1) {
    list.add(refusal(atMs, 'RELAY_BUSY'));
  }
  const times = list.newestFirst.map(({ atMs }) => atMs);
  expect(times).toEqual(Array.from({ length: MAX_REFUSALS }, (_, index) => 105 - index));
});

it('a flood of one code does not push out refusals with others', () => {
  const list = new RefusalList();
  list.add(refusal(1, 'RELAY_PEER_UNREACHABLE'));
  list.add(refusal(2, 'RELAY_PAIR_REFUSED'));
  for (let atMs = 3; atMs <= 1_000; atMs += 1) {
    list.add(refusal(atMs, 'RELAY_TOKEN_MISSING'));
  }
  list.add(refusal(1_001, 'RELAY_BUSY'));
  const kept = list.newestFirst;
  expect(kept).toHaveLength(MAX_REFUSALS);
  expect(kept[0]?.code).toBe('RELAY_BUSY');
  expect(kept.slice(-2).map(({ code }) => code)).toEqual([
    'RELAY_PAIR_REFUSED',
    'RELAY_PEER_UNREACHABLE',
  ]);
});
