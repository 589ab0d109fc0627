import { fieldValue, withoutFields, type RawFields } from '@relay/fields';

import { checkRequestHead, checkResponseHead } from './head-rules.js';
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
} from './message-head.js';
import { HeadInvalidError } from './protocol.errors.js';

const UPGRADE = 'upgrade';
const CONTENT_LENGTH = 'content-length';
const SWITCHING_PROTOCOLS = 101;
/** The longest body of a request for an upgrade; Docker sends one that says what to execute. protocol.md section 11.8. */
export const MAX_UPGRADE_BODY_BYTES = 32_768;
/** One protocol, perhaps with its version. RFC 9110 section 7.8. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** The head of a request for an upgrade, without its `upgrade` field, and the protocol that this names. protocol.md section 11.8. */
export interface UpgradeRequest {
  readonly head: RequestHead;
  readonly protocol: string;
}

/** Whether this is the value of an `upgrade` field that names exactly one protocol. */
export function isProtocol(value: string): boolean {
  return PROTOCOL.test(value);
}

/** Whether two protocols are the same: their names are compared without regard to case. */
export function isSameProtocol(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/**
 * Encodes the head of a request for an upgrade.
 *
 * @param head - that checkRequestHead has accepted
 * @throws HeadInvalidError if it exceeds 65,536 bytes
 */
export function encodeUpgradeRequest({ head, protocol }: UpgradeRequest): Buffer {
  return encodeRequestHead({ ...head, fields: [...head.fields, UPGRADE, protocol] });
}

/**
 * Decodes and checks the head of a request for an upgrade.
 *
 * @throws HeadInvalidError if a rule of protocol.md section 6 or 11.8 is broken
 */
export function decodeUpgradeRequest(bytes: Buffer): UpgradeRequest {
  const decoded = decodeRequestHead(bytes);
  const { fields, protocol } = takeProtocol(decoded.fields);
  const head = { ...decoded, fields };
  checkRequestHead(head);
  if (Number(fieldValue(fields, CONTENT_LENGTH) ?? 0) > MAX_UPGRADE_BODY_BYTES) {
    throw new HeadInvalidError('the body of a request for an upgrade is too long');
  }
  return { head, protocol };
}

/**
 * Encodes the head of a 101.
 *
 * @param fields - of the response, without `upgrade`
 * @throws HeadInvalidError if a rule of protocol.md section 6 is broken
 */
export function encodeSwitching(fields: RawFields, protocol: string): Buffer {
  checkFields(fields);
  const head = { status: SWITCHING_PROTOCOLS, fields: [...fields, UPGRADE, protocol] };
  return encodeResponseHead(head);
}

/**
 * Decodes and checks the head of a 101.
 *
 * @returns its fields without `upgrade`, and the protocol that this names
 * @throws HeadInvalidError if a rule of protocol.md section 6 or 11.8 is broken
 */
export function decodeSwitching(bytes: Buffer): {
  readonly fields: RawFields;
  readonly protocol: string;
} {
  const decoded = decodeResponseHead(bytes);
  if (decoded.status !== SWITCHING_PROTOCOLS) {
    throw new HeadInvalidError('the status of a connection that was upgraded is not 101');
  }
  const { fields, protocol } = takeProtocol(decoded.fields);
  checkFields(fields);
  if (fieldValue(fields, CONTENT_LENGTH) !== undefined) {
    throw new HeadInvalidError('a 101 states the length of a body');
  }
  return { fields, protocol };
}

/** The rules for fields are those of any response. */
function checkFields(fields: RawFields): void {
  checkResponseHead({ status: 200, fields });
}

/** @throws HeadInvalidError unless exactly one field names exactly one protocol */
function takeProtocol(fields: RawFields): {
  readonly fields: RawFields;
  readonly protocol: string;
} {
  const protocol = fieldValue(fields, UPGRADE);
  const others = withoutFields(fields, new Set([UPGRADE]));
  if (protocol === undefined || !isProtocol(protocol) || others.length !== fields.length - 2) {
    throw new HeadInvalidError('the head of an upgrade does not name exactly one protocol');
  }
  return { fields: others, protocol };
}
