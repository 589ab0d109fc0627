import { isAuthority, type RawFields } from '@relay/fields';

import { isForwardedField } from './forwarded-fields.js';
import { HeadInvalidError } from './protocol.errors.js';
import type { RequestHead, ResponseHead } from './message-head.js';
import { CLIENT_ADDRESS_FIELD, CLIENT_NAME_FIELD } from './relay-headers.js';

/** Limit of field lines in a head. protocol.md section 6. */
export const MAX_FIELDS = 256;

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/**
 * Visible ASCII without number sign, beginning with one slash. Servers read a backslash of the path as a slash, but not one of
 * the query, where clients send it as it is.
 */
const PATH = /^\/(?!\/)[\x21\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*(?:\?[\x21\x22\x24-\x7e]*)?$/;
const CONTENT_LENGTH = /^\d{1,15}$/;
/** An IPv4 address, or an IPv6 address in brackets. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;
const CLIENT_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** CONNECT opens a tunnel and TRACE echoes the request; a relay forwards neither. */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE']);

/**
 * Applies the rules of protocol.md section 6 to the method, authority, path and fields of a request. The sender applies them
 * before it seals, so that a client's bad request does not cost a session; the receiver applies them again to what it
 * opened. The limit of 65,536 bytes is enforced by encodeRequestHead.
 *
 * @throws HeadInvalidError if a rule is broken; the message names the rule, never the value
 */
export function checkRequestHead(head: RequestHead): void {
  if (!METHOD.test(head.method) || REFUSED_METHODS.has(head.method.toUpperCase())) {
    throw new HeadInvalidError('method cannot be forwarded');
  }
  if (head.authority !== '' && !isAuthority(head.authority)) {
    throw new HeadInvalidError('host is not a host name or IP address with an optional port');
  }
  if (!PATH.test(head.path)) {
    throw new HeadInvalidError(
      'path does not begin with exactly one slash or contains a forbidden byte',
    );
  }
  const unaddressed = without(head.fields, CLIENT_ADDRESS_FIELD, isAddress);
  checkFields(without(unaddressed, CLIENT_NAME_FIELD, isClientName));
}

/**
 * Applies the rules of protocol.md section 6 to the status and fields of a response, on both sides of the tunnel. The
 * limit of 65,536 bytes is enforced by encodeResponseHead.
 *
 * @throws HeadInvalidError if a rule is broken; the message names the rule, never the value
 */
export function checkResponseHead(head: ResponseHead): void {
  if (head.status < 200 || head.status > 599) {
    throw new HeadInvalidError('status is outside 200–599');
  }
  checkFields(head.fields);
}

/**
 * The fields of a request but one that relays add, whose value is checked here. A second one of its name remains, and is then
 * refused like every other `x-mte-*`.
 */
function without(fields: RawFields, name: string, isValid: (value: string) => boolean): RawFields {
  const at = fields.findIndex((text, index) => index % 2 === 0 && text === name);
  if (at === -1) {
    return fields;
  }
  if (!isValid(fields[at + 1] ?? '')) {
    throw new HeadInvalidError(`${name} is invalid`);
  }
  return [...fields.slice(0, at), ...fields.slice(at + 2)];
}

function isAddress(value: string): boolean {
  return ADDRESS.test(value) && URL.canParse(`http://${value}`);
}

function isClientName(value: string): boolean {
  return CLIENT_NAME.test(value);
}

function checkFields(fields: RawFields): void {
  if (fields.length > 2 * MAX_FIELDS) {
    throw new HeadInvalidError(`head has more than ${MAX_FIELDS} fields`);
  }
  if (fields.length % 2 !== 0) {
    throw new HeadInvalidError('a field has no value');
  }
  let contentLengths = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    checkFieldName(name);
    if (!FIELD_VALUE.test(value)) {
      throw new HeadInvalidError(`value of ${name} contains a forbidden byte`);
    }
    if (name === 'content-length') {
      contentLengths += 1;
      if (contentLengths > 1 || !CONTENT_LENGTH.test(value)) {
        throw new HeadInvalidError('content-length is not a single decimal number');
      }
    }
  }
}

function checkFieldName(name: string): void {
  if (!FIELD_NAME.test(name)) {
    throw new HeadInvalidError('field name is not a lower-case token');
  }
  if (!isForwardedField(name)) {
    throw new HeadInvalidError(`field ${name} is not forwarded`);
  }
}
