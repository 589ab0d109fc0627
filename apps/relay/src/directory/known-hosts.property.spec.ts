import type { PeerEntry } from '@relay/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../../test/support/lifecycle/property.js';
import { KnownHosts } from './known-hosts.js';
import type { KnownPeer } from './known-peer.js';

// Few names, so that many hosts are those of several patterns.
const name = fc
  .array(fc.constantFrom('a', 'b'), { maxLength: 3 })
  .map((labels) => [...labels, 'z']);
const port = fc.constantFrom(80, 8080);
interface Asked {
  readonly name: readonly string[];
  readonly port: number;
}

interface Pattern extends Asked {
  readonly isWildcard: boolean;
  readonly text: string;
}

const textOf = ({ name: labels, port: at }: Asked): string => `${labels.join('.')}:${at}`;

const pattern: fc.Arbitrary<Pattern> = fc
  .record({ name, port, isWildcard: fc.boolean() })
  .map((parts) => ({ ...parts, text: `${parts.isWildcard ? '*.' : ''}${textOf(parts)}` }));

/** One peer for each pattern, which is called as it is. */
function hostsOf(patterns: readonly Pattern[]): KnownHosts {
  const entries = patterns.map(
    ({ text }) => ({ name: text, hosts: [text] }) as unknown as PeerEntry,
  );
  return new KnownHosts(
    entries,
    new Map(entries.map((entry) => [entry.name, entry as unknown as KnownPeer])),
  );
}

/** Whether a name is one that a pattern stands for, label by label. */
function isMeant(asked: readonly string[], { name: labels, isWildcard }: Pattern): boolean {
  const below = asked.slice(asked.length - labels.length);
  const isAsLong = asked.length === labels.length;
  const isLonger = asked.length > labels.length;
  return (isWildcard ? isLonger : isAsLong) && labels.every((text, at) => text === below[at]);
}

/** Among those of the right port: the whole name, or else the longest one that it is below. */
function expected(asked: Asked, patterns: readonly Pattern[]): string | undefined {
  const [best] = patterns
    .filter((each) => each.port === asked.port && isMeant(asked.name, each))
    .sort(
      (one, other) =>
        Number(one.isWildcard) - Number(other.isWildcard) || other.name.length - one.name.length,
    );
  return best?.text;
}

const patterns = fc.uniqueArray(pattern, { maxLength: 8, selector: ({ text }) => text });

describe('the peer of a host', () => {
  it('is the one that a comparison of all labels finds, in whatever spelling the host is', () => {
    const spelling = fc.record({
      isUpper: fc.boolean(),
      hasDot: fc.boolean(),
      showsPort: fc.boolean(),
    });
    fc.assert(
      fc.property(patterns, fc.record({ name, port }), spelling, (known, asked, how) => {
        const spelt = asked.name.join('.') + (how.hasDot ? '.' : '');
        const text = `${how.isUpper ? spelt.toUpperCase() : spelt}${asked.port === 80 && !how.showsPort ? '' : `:${asked.port}`}`;
        expect(hostsOf(known).find(text)?.name).toBe(expected(asked, known));
      }),
      runs(2_000),
    );
  });

  it('is none of anything that is no name below those of the peers', () => {
    const unit = fc.constantFrom(...Array.from('ab.z:8*[]@/\\%1-_ '));
    fc.assert(
      fc.property(patterns, fc.string({ unit, maxLength: 20 }), (known, text) => {
        const found = hostsOf(known)
          .find(text)
          ?.name.replace(/^\*\.|:\d+$/g, '');
        const host = text.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
        expect(found === undefined || host === found || host.endsWith(`.${found}`)).toBe(true);
        expect(found !== undefined && /^\.|\.\.|[^a-z0-9._-]/.test(host)).toBe(false);
      }),
      runs(2_000),
    );
  });
});
