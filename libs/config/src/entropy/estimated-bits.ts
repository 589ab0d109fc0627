import { Patterns } from './patterns.js';
import { bitsInWords, isWordsAlone } from './words-alone.js';

/** What follows could only add to the estimate, which takes time that grows faster than the text. */
const MAX_LENGTH = 256;

/** The kinds of characters that a text may be drawn from, and how many there are of each. */
const KINDS: readonly (readonly [RegExp, number])[] = [
  [/[0-9]/, 10],
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[-_]/, 2],
  [/[+/=]/, 3],
  [/[^\w\-+/=]/, 27],
];

const HEXADECIMAL = /^(?:[0-9a-f]+(?:[-:][0-9a-f]+)*|[0-9A-F]+(?:[-:][0-9A-F]+)*)$/;
const HEXADECIMAL_DIGITS = 16;

/** A text with so many times as many characters as distinct ones has shown its whole alphabet. */
const WHOLE_ALPHABET = 4;

const alphabetBits = (text: string): number => {
  if (HEXADECIMAL.test(text)) {
    return Math.log2(HEXADECIMAL_DIGITS);
  }
  const used = KINDS.filter(([kind]) => kind.test(text));
  const size = used.reduce((sum, [, count]) => sum + count, 0);
  const distinct = new Set(text).size;
  return Math.log2(text.length >= WHOLE_ALPHABET * distinct ? Math.min(size, distinct) : size);
};

/** What each character costs if it is part of no pattern. */
const characterBits = (text: string): number[] => {
  const ofAny = alphabetBits(text);
  const inWords = isWordsAlone(text) ? bitsInWords(text) : [];
  const seen = new Set<string>();
  return text.split('').map((character, position) => {
    const again = seen.has(character) ? 2 + Math.log2(seen.size) : Infinity;
    seen.add(character);
    return Math.min(ofAny, again, inWords[position] ?? Infinity);
  });
};

/**
 * Returns how many bits of entropy a secret seems to have, by a conservative estimate: the length of its shortest
 * description in terms that people think in, and that programs which guess secrets try.
 *
 * A character costs the logarithm of the number of characters that it may be drawn from, judging by the kinds that occur
 * (digits, small letters, capitals, signs), or 4 bits in a text of hexadecimal digits; one that occurred before may cost
 * less. In a text that consists of words, a letter costs at most 2.5 bits and a word 13. A pattern costs what it takes to
 * state it: a repeated character or block, a sequence such as `abc`, `321`, `qwerty` or `a1b2c3`, a common word, a year.
 * The cheapest combination counts.
 *
 * Since every cost is the length of a code, a random text is hardly ever estimated to have much less than it has. 16
 * random bytes in base64url, and 24 in hexadecimal, exceed 96 bits. What no estimate can know is how a text was made: a
 * random one that was published, or the hash of a word, has none.
 */
export function estimatedBits(secret: string): number {
  const start = secret.slice(0, MAX_LENGTH);
  const text = HEXADECIMAL.test(start) ? start.replaceAll(/[-:]/g, '') : start;
  const patterns = new Patterns(text);
  const best = [0, ...new Array<number>(text.length).fill(Infinity)];
  characterBits(text).forEach((bitsOfCharacter, position) => {
    const character = { length: 1, bits: bitsOfCharacter };
    for (const { length, bits } of [character, ...patterns.at(position)]) {
      const end = position + length;
      best[end] = Math.min(best[end] ?? Infinity, (best[position] ?? Infinity) + bits);
    }
  });
  return best.at(-1) ?? 0;
}
