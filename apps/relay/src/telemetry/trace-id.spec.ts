import { describe, expect, it } from 'vitest';

import { traceIdOf } from './trace-id.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('a trace id', () => {
  it.each([
    ['of the current version', `00-${TRACE}-${PARENT}-01`],
    ['of a future version', `cc-${TRACE}-${PARENT}-01`],
    ['of a future version with additional data', `cc-${TRACE}-${PARENT}-01-what-else`],
  ])('%s is extracted', (_what, traceparent) => {
    expect(traceIdOf(['host', 'a', 'traceparent', traceparent])).toBe(TRACE);
  });

  it.each([
    ['that is missing', undefined],
    ['that is all zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['whose parent id is all zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['of version ff', `ff-${TRACE}-${PARENT}-01`],
    ['of the current version with additional data', `00-${TRACE}-${PARENT}-01-more`],
    ['in a field of 513 characters', `cc-${TRACE}-${PARENT}-01-${'x'.repeat(457)}`],
    ['followed by a line feed', `00-${TRACE}-${PARENT}-01\n`],
  ])('%s is ignored', (_what, traceparent) => {
    expect(traceIdOf(traceparent === undefined ? [] : ['traceparent', traceparent])).toBe(
      undefined,
    );
  });
});
