import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { REFUSED_NETWORKS } from '../../apps/relay/src/peers/refused-addresses.js';

const text = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const [, section = ''] = text.split('### Addresses that no client may name\n');
const rows = [...section.split('\n## ')[0]!.matchAll(/^\| `([\da-f:./]+)` +\|[^|]+\|([^|]+)\|$/gm)];

describe('the table of refused addresses in docs/configuration.md', () => {
  it('has exactly the networks that are refused', () => {
    const refused = REFUSED_NETWORKS.map(([first, prefixBits]) =>
      prefixBits === (first.includes(':') ? 128 : 32) ? first : `${first}/${prefixBits}`,
    );
    expect(rows.map(([, network]) => network).sort()).toEqual(refused.sort());
  });

  it('names a source for each', () => {
    const without = rows.filter(([, , source]) => !/\]\(https:\/\/[^)]+\)/.test(source!));
    expect(without.map(([, network]) => network)).toEqual([]);
  });
});
