import { COMMON_WORDS } from './common-words.js';
import { unmask } from './lookalikes.js';

/** A part of a text that can be stated in fewer bits than its characters. */
export interface Pattern {
  readonly length: number;
  readonly bits: number;
}

/** Rows on which a finger moves, in either direction. */
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'yxcvbnm',
  'zxcvbnm',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
].flatMap((row) => [row, Array.from(row).reverse().join('')]);

/** Where in which row it begins; how long it is comes on top. */
const SEQUENCE_BITS = Math.log2(ROWS.join('').length);
const SHORTEST_SEQUENCE = 3;

/** How many sequences are interleaved, as in a1b2c3 and aabbcc. Each begins with any character. */
const STRIDES = [2, 3, 4];
const INTERLEAVED_BITS = 4;
const CHARACTER_BITS = 6;

const WORD_LENGTHS = [...new Set(Array.from(COMMON_WORDS, (word) => word.length))];
/** Two bits state that a word follows, instead of a character. */
const WORD_BITS = 2 + Math.log2(COMMON_WORDS.size);

/** Three bits state that a block from before follows again; where it began and how long it is come on top. */
const REPEAT_BITS = 3;
const SHORTEST_REPEAT = 2;

const YEAR = /^(?:19|20)\d\d/;
const YEAR_BITS = 2 + Math.log2(200);

/** Lower case, upper case or one capital are free, since a text keeps to one of them. Anything else costs every letter. */
const REGULAR_CASE = /^(?:[^A-Z]*|[^a-z]*|[A-Z][^A-Z]*)$/;

/** One pattern for each length that it may be cut to, since another one may begin within it. */
const cuts = (shortest: number, longest: number, bitsOf: (length: number) => number): Pattern[] =>
  Array.from({ length: Math.max(0, longest - shortest + 1) }, (_, index) => ({
    length: shortest + index,
    bits: bitsOf(shortest + index),
  }));

/** What is easy to guess in a text. Positions and lengths count UTF-16 code units. */
export class Patterns {
  private readonly folded: string;
  private readonly unmasked: string;

  constructor(private readonly text: string) {
    // Not toLowerCase(), which makes some characters longer and so moves all positions behind them.
    this.folded = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
    this.unmasked = unmask(this.folded);
  }

  /** Returns the patterns that begin at a position; a longer one also in every length that it may be cut to. */
  at(position: number): Pattern[] {
    return [
      ...this.repeats(position),
      ...this.sequences(position),
      ...this.interleaved(position),
      ...this.words(position),
      ...this.years(position),
    ];
  }

  /** A block that occurred before. A character that is repeated is one too. */
  private repeats(position: number): Pattern[] {
    const whereAndHowLong = Math.log2(Math.max(1, position) * (this.text.length - position));
    const longestIn = (text: string): number => {
      let longest = 0;
      for (let start = 0; start < position; start += 1) {
        const length = this.lengthWhile(position, (at) => text[at - position + start] === text[at]);
        longest = Math.max(longest, length);
      }
      return longest;
    };
    const bits = REPEAT_BITS + whereAndHowLong;
    return [
      ...cuts(SHORTEST_REPEAT, longestIn(this.text), () => bits),
      ...cuts(SHORTEST_REPEAT, longestIn(this.folded), (length) => bits + length),
    ];
  }

  /** Part of a row, such as abc, 321 or qwerty. */
  private sequences(position: number): Pattern[] {
    const lengths = ROWS.map((row) => {
      const start = row.indexOf(this.folded.charAt(position));
      return this.lengthWhile(
        position,
        (at) => start !== -1 && row[at - position + start] === this.folded[at],
      );
    });
    return cuts(
      SHORTEST_SEQUENCE,
      Math.max(...lengths),
      (length) => SEQUENCE_BITS + Math.log2(length) + this.caseBits(position, length),
    );
  }

  private interleaved(position: number): Pattern[] {
    return STRIDES.flatMap((stride) => {
      const longest = this.lengthWhile(
        position,
        (at) =>
          at < position + stride ||
          this.text.charCodeAt(at) === this.text.charCodeAt(at - stride) + 1,
      );
      const bits = INTERLEAVED_BITS + stride * CHARACTER_BITS;
      return cuts(2 * stride, longest, (length) => bits + Math.log2(length));
    });
  }

  /** A common word, also with digits and signs for letters. */
  private words(position: number): Pattern[] {
    return WORD_LENGTHS.filter((length) =>
      COMMON_WORDS.has(this.unmasked.slice(position, position + length)),
    ).map((length) => {
      const [folded, unmasked] = [this.folded, this.unmasked].map((text) =>
        text.slice(position, position + length),
      );
      const maskBits = folded === unmasked ? 0 : 1;
      return { length, bits: WORD_BITS + maskBits + this.caseBits(position, length) };
    });
  }

  private years(position: number): Pattern[] {
    const isYear = YEAR.test(this.text.slice(position, position + 4));
    return isYear ? [{ length: 4, bits: YEAR_BITS }] : [];
  }

  private caseBits(position: number, length: number): number {
    const isRegular = REGULAR_CASE.test(this.text.slice(position, position + length));
    return isRegular ? 0 : length;
  }

  private lengthWhile(position: number, continues: (at: number) => boolean): number {
    let at = position;
    while (at < this.text.length && continues(at)) {
      at += 1;
    }
    return at - position;
  }
}
