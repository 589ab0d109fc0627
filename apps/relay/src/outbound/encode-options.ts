import type { IncomingHttpHeaders } from 'node:http';

import type { MessageType } from '@relay/protocol';

import { OptionInvalidError } from './outbound.errors.js';

/** What of a message is shown in clear as well. protocol.md section 2. */
export interface EncodeOptions {
  readonly type: MessageType;
  /** Whether the path is sealed only. */
  readonly isPathSealed: boolean;
  /** Names of the fields that are sealed only; all of them, or all but some, where it is a boolean. */
  readonly sealedFields: boolean | ReadonlySet<string>;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** @throws OptionInvalidError naming the header, never its value */
export function parseEncodeOptions(headers: IncomingHttpHeaders): EncodeOptions {
  return {
    type: messageType(headers['x-mte-encode-type']),
    isPathSealed: flag('x-mte-encode-url', headers['x-mte-encode-url']) ?? true,
    sealedFields: sealedFields(headers['x-mte-encode-headers']),
  };
}

function messageType(value: string | string[] | undefined): MessageType {
  switch (lower(value)) {
    case undefined:
    case 'mke':
      return 'mke';
    case 'mte':
      return 'mte';
    default:
      throw new OptionInvalidError('x-mte-encode-type is neither MKE nor MTE');
  }
}

function sealedFields(value: string | string[] | undefined): boolean | ReadonlySet<string> {
  const text = lower(value);
  if (text === undefined || text === 'true') {
    return true;
  }
  if (text === 'false') {
    return false;
  }
  const names = text.split(',').map((name) => name.trim());
  if (!names.every((name) => TOKEN.test(name))) {
    throw new OptionInvalidError('x-mte-encode-headers is neither true, false nor a list of names');
  }
  return new Set(names);
}

function flag(name: string, value: string | string[] | undefined): boolean | undefined {
  const text = lower(value);
  if (text === undefined) {
    return undefined;
  }
  if (text !== 'true' && text !== 'false') {
    throw new OptionInvalidError(`${name} is neither true nor false`);
  }
  return text === 'true';
}

function lower(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value.trim().toLowerCase() : undefined;
}
