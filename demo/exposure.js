/**
 * What must not be readable between the relays, and the search for it: as it is, and in the encodings in
 * which a careless program would have hidden it.
 */

/** @param secrets - texts by name */
export function countExposures(secrets, pieces) {
  return Object.entries(secrets).map(([name, text]) => ({
    name,
    count: formsOf(text).reduce((sum, form) => sum + occurrences(form, pieces), 0),
  }));
}

/** A text as it is, in hexadecimal, and in base64 at each of the three places where it can begin. */
function formsOf(text) {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Characters at both ends depend on what stands around the text.
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  return [text, bytes.toString('hex'), ...base64, ...base64.map(toUrlAlphabet)].filter(isFirst);
}

const toUrlAlphabet = (base64) => base64.replaceAll('+', '-').replaceAll('/', '_');

const isFirst = (value, index, all) => all.indexOf(value) === index;

function occurrences(form, pieces) {
  let count = 0;
  for (const piece of pieces) {
    for (let at = piece.indexOf(form); at !== -1; at = piece.indexOf(form, at + 1)) count += 1;
  }
  return count;
}
