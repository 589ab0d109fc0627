import { describe, expect, it } from 'vitest';

import { traceIdOf } from './trace-id.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('a trace id', () => {
  it.each([
    ['of the present version', `00-${TRACE}-${PARENT}-01`],
    ['of a version to come', `cc-${TRACE}-${PARENT}-01`],
    ['of a version to come that says more', `cc-${TRACE}-${PARENT}-01-what-else`],
  ])('%s is taken', (_what, traceparent) => {
    expect(traceIdOf(['host', 'a', 'traceparent', traceparent])).toBe(TRACE);
  });

  it.each([
    ['that is missing', undefined],
    ['of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['of a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['of version ff', `ff-${TRACE}-${PARENT}-01`],
    ['of the present version with more behind it', `00-${TRACE}-${PARENT}-01-more`],
    ['in a field of 513 characters', `cc-${TRACE}-${PARENT}-01-${'x'.repeat(457)}`],
    ['among line ends', `00-${TRACE}-${PARENT}-01\n`],
  ])('%s is none', (_what, traceparent) => {
    expect(traceIdOf(traceparent === undefined ? [] : ['traceparent', traceparent])).toBe(
      undefined,
    );
  });
});
