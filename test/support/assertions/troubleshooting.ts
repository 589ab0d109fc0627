import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { TestRelay } from '../relays/relay.js';

const document = readFileSync(
  join(import.meta.dirname, '../../../docs/troubleshooting.md'),
  'utf8',
);

/** The section of docs/troubleshooting.md whose heading begins with `heading`. */
export function section(heading: string): string {
  const found = document.split('\n## ').find((part) => part.startsWith(heading));
  if (found === undefined) {
    throw new Error(`docs/troubleshooting.md has no heading ${heading}`);
  }
  return found;
}

/** Expects each quote both in the section under `heading` and in the relay's log. */
export async function expectQuoted(
  relay: TestRelay,
  heading: string,
  quotes: readonly string[],
): Promise<void> {
  for (const quote of quotes) {
    if (!section(heading).includes(quote)) {
      throw new Error(`docs/troubleshooting.md lacks under ${heading}: ${quote}`);
    }
    await relay.log.find((line) => JSON.stringify(line).includes(quote));
  }
}
