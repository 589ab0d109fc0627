import { COMMON_WORDS } from './common-words.js';
import { unmask } from './lookalikes.js';

/** What people put behind their words: a number, an exclamation mark. */
const AFTER_WORDS = /[\d!?.]{0,8}$/;
const BETWEEN_WORDS = /[-_ .,:;/+#*=<>()[\]{}'"]+/;
const WORD = /^(?:[A-Z]?[a-z]+|[A-Z]+|(?:[A-Z][a-z]{2,})+)$/;
const WORD_AND_NUMBER = /^(.*?)\d{0,4}$/;
/** The words of a text, also where they are told apart only by their capitals. */
const WORDS = /[A-Z]?[a-z]+|[A-Z]+/g;

/** Shorter ones also occur in random texts. */
const TELLING_WORDS = [...COMMON_WORDS].filter((word) => word.length >= 5);

/** English has fewer, and so have lists of words for passphrases. */
const LETTER_BITS = 2.5;
/** A word of Diceware's list of 7776. */
const WORD_BITS = 13;
const COMMON_WORD_BITS = Math.log2(COMMON_WORDS.size);
/** What is longer are several words. */
const LONGEST_WORD = 12;
const FIRST_SEPARATOR_BITS = 3;

const spelledOut = (text: string): string =>
  /[a-z]/.test(text) ? unmask(text) : unmask(text).toUpperCase();

const isWord = (part: string): boolean => {
  const [, word = ''] = WORD_AND_NUMBER.exec(part) ?? [];
  return word === '' || WORD.test(spelledOut(word));
};

/** Whether a text seems to consist of words: written like words throughout, and at least one of them a common one. */
export function isWordsAlone(text: string): boolean {
  const words = text.replace(AFTER_WORDS, '').split(BETWEEN_WORDS);
  const letters = unmask(text.toLowerCase());
  return words.every(isWord) && TELLING_WORDS.some((word) => letters.includes(word));
}

const bitsOfLetter = (word: string): number => {
  const ofWord = COMMON_WORDS.has(word.toLowerCase()) ? COMMON_WORD_BITS : WORD_BITS;
  return word.length <= LONGEST_WORD ? Math.min(LETTER_BITS, ofWord / word.length) : LETTER_BITS;
};

/** Returns what each character of a text that consists of words costs at most; undefined: no less than elsewhere. */
export function bitsInWords(text: string): (number | undefined)[] {
  const bits = Array.from(text, (character, index): number | undefined => {
    if (!BETWEEN_WORDS.test(character)) {
      return undefined;
    }
    return text.indexOf(character) === index ? FIRST_SEPARATOR_BITS : 0;
  });
  for (const { 0: word, index } of spelledOut(text).matchAll(WORDS)) {
    bits.fill(bitsOfLetter(word), index, index + word.length);
  }
  return bits;
}
