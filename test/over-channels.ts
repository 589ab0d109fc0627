/**
 * The suites that hold whichever way requests travel between the relays. vitest's project `channels` runs them again, over
 * channels; in all other projects they go as messages.
 */
export const OVER_CHANNELS = [
  'test/e2e/*.spec.ts',
  'test/e2e/http/*.spec.ts',
  'test/e2e/programs/*.spec.ts',
  'test/e2e/traces/endings.spec.ts',
  'test/e2e/traces/requests.spec.ts',
  'test/e2e/traces/trace-context.spec.ts',
  // Of the attacks, those on HTTP itself: what is forwarded, and to whom.
  'test/security/configured-fields.spec.ts',
  'test/security/connection-auth.spec.ts',
  'test/security/destinations.spec.ts',
  'test/security/field-count.spec.ts',
  'test/security/fields.spec.ts',
  'test/security/late-octets.spec.ts',
  'test/security/paths.spec.ts',
  'test/security/smuggling.spec.ts',
];

/** Suites among these that are not for channels, by reason. */
const EXCLUDED = {
  'it sends its requests both ways itself': ['test/e2e/origins.spec.ts'],
  'no request of it goes from one relay to another': [
    'test/e2e/http/differential-pass-through.spec.ts',
    'test/e2e/http/http2-refused.spec.ts',
  ],
  'it is about what only messages have: MTE, copies in plaintext, the fields of a tunnel request': [
    'test/e2e/early-response-and-close.spec.ts',
    'test/e2e/http/encode-options.spec.ts',
    'test/e2e/http/mte-limits.spec.ts',
    'test/e2e/sealed-wire.spec.ts',
    'test/e2e/tunnel-request-headers.spec.ts',
  ],
  'it is about the connections that carry messages, or counts them': [
    'test/e2e/http/compressing-intermediaries.spec.ts',
    'test/e2e/http/kept-connections-between-relays.spec.ts',
    'test/e2e/http/moved-names.spec.ts',
  ],
};

export const NOT_OVER_CHANNELS: readonly string[] = Object.values(EXCLUDED).flat();
