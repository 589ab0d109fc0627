import { Refused } from './rule.js';

/** A lower-cased field name and its value. */
export type HeaderField = readonly [name: string, value: string];

/** RFC 9110 section 5.6.2, in lower case. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 section 5.5: HTAB, SP, VCHAR, obs-text. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** RFC 9110 section 7.6.1, and fields that this relay or its HTTP library sets. */
const RESERVED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);

const parseObject = (text: string): [string, unknown][] | undefined => {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? Object.entries(parsed) : undefined;
  } catch {
    // The parser's message quotes the text, which may be a credential.
    return undefined;
  }
};

/** Reads a JSON object of string values as header fields, in the given order. */
export function headerFields(text: string): readonly HeaderField[] | Refused {
  const entries = parseObject(text);
  if (entries === undefined) {
    return new Refused('must be a JSON object of string values');
  }
  const fields = new Map<string, string>();
  const problems: string[] = [];
  entries.forEach(([givenName, value], index) => {
    const name = givenName.toLowerCase();
    if (!TOKEN.test(name)) {
      problems.push(`entry ${index + 1} must have an HTTP field name`);
      return;
    }
    if (RESERVED.has(name) || name.startsWith('content-') || name.startsWith('x-mte-')) {
      problems.push(`must not set ${name}`);
    }
    if (fields.has(name)) {
      problems.push(`must not set ${name} twice`);
    }
    if (typeof value !== 'string') {
      problems.push(`must give ${name} a string value`);
    } else if (!VALUE.test(value)) {
      problems.push(`must give ${name} a valid HTTP field value`);
    }
    fields.set(name, typeof value === 'string' ? value : '');
  });
  return problems.length > 0 ? new Refused(...problems) : [...fields];
}
