import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { RelayHeaderMalformedError } from './protocol.errors.js';
import { formatTunnelHeader, parseTunnelHeader } from './tunnel-header.js';

interface Values {
  valid: { message: string[]; channel: string[] };
  invalid: string[];
}

describe('known values of x-mte-relay', () => {
  const known = ['protocol-1-cases.json', 'protocol-1-more-cases.json'].map((name) => {
    const file = new URL(`../../../test/vectors/${name}`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { values: Values }).values;
  });
  const [messages, others] = [
    known.flatMap(({ valid }) => valid.message),
    known.flatMap(({ valid, invalid }) => [...valid.channel, ...invalid]),
  ];

  it.each(messages.map((value) => [value]))('are parsed and formatted again: %s', (value) => {
    const header = parseTunnelHeader(value);
    const salt = Buffer.from(value.slice(value.lastIndexOf('.') + 1), 'base64url');
    expect(formatTunnelHeader(header, salt)).toBe(value);
  });

  it.each(others.map((value) => [JSON.stringify(value), value] as const))(
    'are no message: %s',
    (_, value) => {
      expect(() => parseTunnelHeader(value)).toThrow(RelayHeaderMalformedError);
    },
  );
});
