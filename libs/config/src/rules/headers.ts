import { HOP_BY_HOP_FIELDS, variableName } from '@relay/fields';
import { ValidateBy, type ValidationArguments } from 'class-validator';

import { isCredentialName } from './credential-names.js';
import { Refused } from './rule.js';

/** A lower-cased field name and its value. */
export type HeaderField = readonly [name: string, value: string];

/** RFC 9110 section 5.6.2, in lower case. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 section 5.5: HTAB, SP, VCHAR, obs-text. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** RFC 9110 section 7.6.1, and fields that this relay or its HTTP library sets. Namesakes of these are refused with them. */
const RESERVED = new Set([...HOP_BY_HOP_FIELDS, 'expect', 'host'].map(variableName));
const RESERVED_PREFIX = /^(?:content|x_mte)_/;
/** For the next hop, so a relay may set it towards its upstream, which may be a gateway. RFC 9110 section 11.7.2. */
const FOR_NEXT_HOP = 'proxy-authorization';

/** Fields with a meaning in one direction. In the other, a credential would go to those whom it should keep out. */
const REQUEST_FIELDS = new Set(['authorization', 'cookie', FOR_NEXT_HOP].map(variableName));
const RESPONSE_FIELDS = new Set(['set-cookie'].map(variableName));

/** Says why a variable must not set a field of this name, as the end of the problem; undefined if it may. */
type NameRule = (name: string) => string | undefined;

/** What the options for one direction are called where fields are set: as variables, or as keys of a file. */
interface OptionNames {
  readonly request: string;
  readonly response: string;
}

const inBothDirections =
  ({ request, response }: OptionNames): NameRule =>
  (name) =>
    isCredentialName(name)
      ? `, which names a credential: use ${request} (on requests to the API only) or ${response} (on responses only)`
      : undefined;

const onRequests =
  ({ response }: OptionNames): NameRule =>
  (name) =>
    RESPONSE_FIELDS.has(variableName(name)) ? `, a field of responses: use ${response}` : undefined;

const onResponses =
  ({ request }: OptionNames): NameRule =>
  (name) =>
    REQUEST_FIELDS.has(variableName(name)) ? `, a field of requests: use ${request}` : undefined;

const isReserved = (name: string): boolean => {
  const variable = variableName(name);
  return name !== FOR_NEXT_HOP && (RESERVED.has(variable) || RESERVED_PREFIX.test(variable));
};

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

const problemOfValue = (name: string, value: unknown): string | undefined => {
  if (typeof value !== 'string') {
    return `must give ${name} a string value`;
  }
  return VALUE.test(value) ? undefined : `must give ${name} a valid HTTP field value`;
};

const problemOfRepeat = (name: string, earlier: string | undefined): string | undefined => {
  if (earlier === undefined) {
    return undefined;
  }
  return name === earlier
    ? `must not set ${name} twice`
    : `must not set both ${earlier} and ${name}, which many servers take for one`;
};

const fieldsBy =
  (reasonAgainst: NameRule) =>
  (text: string): readonly HeaderField[] | Refused => {
    const entries = parseObject(text);
    if (entries === undefined) {
      return new Refused('must be a JSON object of string values');
    }
    const fields: HeaderField[] = [];
    const names = new Map<string, string>();
    const problems: (string | undefined)[] = [];
    entries.forEach(([givenName, value], index) => {
      const name = givenName.toLowerCase();
      if (!TOKEN.test(name)) {
        problems.push(`entry ${index + 1} must have an HTTP field name`);
        return;
      }
      const reason = isReserved(name) ? '' : reasonAgainst(name);
      problems.push(
        reason === undefined ? undefined : `must not set ${name}${reason}`,
        problemOfRepeat(name, names.get(variableName(name))),
        problemOfValue(name, value),
      );
      names.set(variableName(name), name);
      fields.push([name, typeof value === 'string' ? value : '']);
    });
    const found = problems.filter((problem) => problem !== undefined);
    return found.length > 0 ? new Refused(...found) : fields;
  };

/** Returns the readers of the three options that set fields: each takes a JSON object of string values, in the given order. */
export function headerRules(names: OptionNames) {
  return {
    /** In both directions: no credentials. */
    headers: fieldsBy(inBothDirections(names)),
    /** May be credentials. */
    requestHeaders: fieldsBy(onRequests(names)),
    /** May be credentials. */
    responseHeaders: fieldsBy(onResponses(names)),
  };
}

const isRead = (value: unknown): value is readonly HeaderField[] => Array.isArray(value);

/** The names that the property and `HEADERS` both set, in whatever punctuation. */
const namesAlsoInHeaders = (value: unknown, args?: ValidationArguments): string[] => {
  const { headers } = (args?.object ?? {}) as { readonly headers?: unknown };
  if (!isRead(value) || !isRead(headers)) {
    // What cannot be read is reported elsewhere.
    return [];
  }
  const taken = new Set(headers.map(([name]) => variableName(name)));
  return value.map(([name]) => name).filter((name) => taken.has(variableName(name)));
};

/** Refuses a field that `HEADERS` sets as well: which of the two counts would be a guess. */
export function NotAlsoInHeaders(): PropertyDecorator {
  return ValidateBy({
    name: 'notAlsoInHeaders',
    validator: {
      validate: (value, args) => namesAlsoInHeaders(value, args).length === 0,
      defaultMessage: (args) =>
        namesAlsoInHeaders(args?.value, args)
          .map((name) => `must not set ${name}, which HEADERS sets`)
          .join('\n'),
    },
  });
}
