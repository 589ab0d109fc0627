/** Digits and signs that people write for letters. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  '!': 'i',
  $: 's',
};

/** Returns a text of the same length, with the letters that its digits and signs may be written for. */
export function unmask(text: string): string {
  return text.replaceAll(/[013457@!$]/g, (character) => LOOKALIKES[character] ?? character);
}
