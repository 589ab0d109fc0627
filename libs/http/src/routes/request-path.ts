/** What this relay makes of a path before it compares it with routes, or puts a base path in front of it. */
export interface JudgedPath {
  /** Why some API could read the path as a place outside its route or base path; undefined if none can. */
  readonly refusal: string | undefined;
  /**
   * The form that is compared with routes: decoded once, without the query. Undefined for a path that is refused, and for one
   * that two servers could read as different places within the same base path: `//`, encoded slashes, malformed escapes, and
   * escapes that remain after decoding.
   */
  readonly canonical: string | undefined;
}

/** What every server reads alike: visible ASCII without `#`, `%`, `.`, `;` and `\`. */
const PLAIN = /^[\x21\x22\x24\x26-\x2d\x2f-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const VISIBLE_ASCII = /^[\x21-\x7e]*$/;
const BEYOND_ASCII = /[\x80-\xff]/;

/** How often a path is decoded at most. A few servers, and the proxies before them, decode twice. */
const MAX_ROUNDS = 4;
/** A percent-encoded slash or backslash. */
const ENCODED_SEPARATOR = /%(?:2f|5c)/i;
/** An escape that RFC 3986 does not know, but IIS does. */
const UTF16_ESCAPE = /%u[0-9a-f]{4}/i;
/** Fullwidth characters in an escape: they become ASCII by NFKC, and a server may decode after that. */
const FULLWIDTH_ESCAPE =
  /[\uff05\ufe6a][0-9a-f\uff10-\uff19\uff41-\uff46]{2}|%[0-9a-f]?[\uff10-\uff19\uff41-\uff46]/iu;

/** A control character of ASCII, or one of U+0080 to U+009F in UTF-8. Some servers end a path there, others leave it out. */
const CONTROL_CHARACTER = /[^\x20-\x7e\x80-\xff]|\xc2[\x80-\x9f]/;
/**
 * ASCII in two to six octets, as `%c0%ae` for a dot. The octets after the first are as a decoder reads them that takes their
 * low six bits without looking at the others, so `%c0%2e` is a dot as well.
 */
const OVERLONG =
  /[\xc0\xc1]|(?:\xe0|\xf0[@\x80\xc0]|\xf8[@\x80\xc0]{2}|\xfc[@\x80\xc0]{3})[@A\x80\x81\xc0\xc1]/;

/*
 * Characters that servers convert to ASCII: by NFKC, which applications apply, or by the code pages of Windows ("best fit":
 * U+2044 and U+2215 to a slash, U+2216, the signs of the yen and of the won to a backslash).
 */
const DOT = String.raw`.\u2024\ufe52\uff0e`;
const DOTS = String.raw`\u2025\u2026\ufe19\ufe30`;
const SEPARATOR = String.raw`/\\\u2044\u2215\uff0f\u2216\ufe68\uff3c\xa5\uffe5\u20a9\uffe6`;
/** What begins parameters, or the query or fragment for a server that decodes first. */
const TAIL = String.raw`;?#\u037e\ufe14\ufe54\uff1b\ufe16\ufe56\uff1f\ufe5f\uff03`;
/** Blanks, percent signs that begin no escape, octets that are not UTF-8 (here U+FFFD), and what is not displayed. */
const DROPPED = String.raw`%\ufe6a\uff05\ufffd\p{Zs}\p{Default_Ignorable_Code_Point}`;

/**
 * A segment that is `.`, or begins with `..`. Whatever follows the two dots, some server takes it off: a parameter, blanks, a
 * stream, further dots. A filter that takes `../` out once makes `../` of `....//`.
 */
const DOT_SEGMENT = new RegExp(
  `(?:^|[${SEPARATOR}])[${DROPPED}]*(?:[${DOTS}]|[${DOT}][${DROPPED}]*(?:[${DOT}${DOTS}${SEPARATOR}${TAIL}]|$))`,
  'u',
);

/**
 * Judges a path by everything that some API could read in it, from the strictest, which decodes nothing, to the laxest, which
 * decodes repeatedly, takes parameters off and maps other characters to dots and slashes. A path without dots, escapes and
 * parameters costs one comparison.
 *
 * @param path - with or without the query
 */
export function judgePath(path: string): JudgedPath {
  const raw = withoutQuery(path);
  if (PLAIN.test(raw)) {
    return { refusal: undefined, canonical: raw.includes('//') ? undefined : raw };
  }
  const refusal = refusalOf(raw);
  return { refusal, canonical: refusal === undefined ? canonicalOf(raw) : undefined };
}

/** Judges every reading of a path, from the raw one to the one in which nothing can be decoded any more. */
function refusalOf(raw: string): string | undefined {
  if (!VISIBLE_ASCII.test(raw)) {
    return 'the path has characters other than visible ASCII';
  }
  let reading = raw;
  for (let round = 0; round <= MAX_ROUNDS; round += 1) {
    const refusal = refusalOfReading(reading);
    const next = refusal === undefined ? unescaped(reading) : reading;
    if (next === reading) {
      return refusal;
    }
    reading = next;
  }
  return `the path has escapes within escapes, more than ${MAX_ROUNDS} deep`;
}

/** @param reading - octets, as a string of latin1 */
function refusalOfReading(reading: string): string | undefined {
  if (CONTROL_CHARACTER.test(reading)) {
    return 'the path has a control character';
  }
  if (UTF16_ESCAPE.test(reading)) {
    return 'the path has an escape of the form %uXXXX';
  }
  if (OVERLONG.test(reading)) {
    return 'the path has an ASCII character in an overlong UTF-8 encoding';
  }
  const text = BEYOND_ASCII.test(reading) ? Buffer.from(reading, 'latin1').toString() : reading;
  if (FULLWIDTH_ESCAPE.test(text)) {
    return 'the path has an escape of fullwidth characters';
  }
  return DOT_SEGMENT.test(text)
    ? 'the path has a segment that is "." or begins with "..", as some servers read it'
    : undefined;
}

/** Decodes escapes to octets, and leaves malformed ones as they are. */
function unescaped(reading: string): string {
  // It is deprecated for text, which it does not decode. Octets are what is wanted here, in a tenth of the time of replace().
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return unescape(reading);
}

function canonicalOf(raw: string): string | undefined {
  if (ENCODED_SEPARATOR.test(raw)) {
    return undefined;
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // The escapes are malformed or do not encode UTF-8, so no route can name this path.
    return undefined;
  }
  const isAmbiguous = decoded.includes('//') || /\\|%[0-9a-f]{2}/i.test(decoded);
  return isAmbiguous ? undefined : decoded;
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
