import { describe, expect, it } from 'vitest';

import { upstreamFields } from './upstream-fields.js';

const configured = {
  headers: [['x-zone', 'eu']],
  requestHeaders: [['authorization', 'ours']],
} as const;
const fields = ['authorization', 'theirs', 'x_zone', 'theirs', 'a', '1', 'x-zone', 'theirs'];

describe('the fields of a request to the upstream', () => {
  it('are those of HEADERS and REQUEST_HEADERS, and what is left of those of a peer', () => {
    expect(upstreamFields(fields, configured, 'peer')).toEqual([
      ...['a', '1', 'x-zone', 'eu', 'authorization', 'ours'],
    ]);
  });

  it('have nothing of REQUEST_HEADERS, neither name nor value, if anybody may send the request', () => {
    expect(upstreamFields(fields, configured, 'anybody')).toEqual(['a', '1', 'x-zone', 'eu']);
  });

  it('are those of the requester, in a new list, if nothing is configured', () => {
    for (const requester of ['peer', 'anybody'] as const) {
      const list = upstreamFields(fields, { headers: [], requestHeaders: [] }, requester);
      expect(list).toEqual(fields);
      expect(list).not.toBe(fields);
    }
  });
});
