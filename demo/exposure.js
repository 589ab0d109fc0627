/**
 * The search for texts that must not be readable between the relays: as plain text, and in the encodings in which a
 * careless program would have hidden them.
 */

/**
 * @param {Record<string, string>} secrets - texts by name
 * @param {Buffer[]} recordings - the bytes to search
 * @returns {{ name: string, count: number }[]}
 */
export function countExposures(secrets, recordings) {
  return Object.entries(secrets).map(([name, text]) => ({
    name,
    count: formsOf(text).reduce((sum, form) => sum + occurrences(form, recordings), 0),
  }));
}

/**
 * A text as it is, in hexadecimal, and in base64 at each of the three offsets at which it can begin.
 *
 * @param {string} text
 */
function formsOf(text) {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Characters at both ends depend on what surrounds the text.
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  return [...new Set([text, bytes.toString('hex'), ...base64, ...base64.map(toUrlAlphabet)])];
}

/** @param {string} base64 */
const toUrlAlphabet = (base64) => base64.replaceAll('+', '-').replaceAll('/', '_');

/**
 * @param {string} form
 * @param {Buffer[]} recordings
 */
function occurrences(form, recordings) {
  let count = 0;
  for (const bytes of recordings) {
    for (let at = bytes.indexOf(form); at !== -1; at = bytes.indexOf(form, at + 1)) {
      count += 1;
    }
  }
  return count;
}
