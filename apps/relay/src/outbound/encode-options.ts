import type { IncomingHttpHeaders } from 'node:http';

import type { MessageType } from '@relay/protocol';

import { OptionInvalidError } from './outbound.errors.js';

/** Which type of message a client wants, and which parts of it are also shown in plaintext. protocol.md section 2. */
export interface EncodeOptions {
  readonly type: MessageType;
  /** If false, the path is shown as well as sealed. */
  readonly isPathSealed: boolean;
  /** Names of the fields that are sealed and not shown; true stands for all fields, false for none. */
  readonly sealedFields: boolean | ReadonlySet<string>;
}

/** What a client gets that asks for nothing else. */
export const WHOLLY_SEALED: EncodeOptions = { type: 'mke', isPathSealed: true, sealedFields: true };

/** Whether nothing of the request is shown and its records are released one by one: only then a channel can carry it. */
export function isWhollySealed({ type, isPathSealed, sealedFields }: EncodeOptions): boolean {
  return type === 'mke' && isPathSealed && sealedFields === true;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** @throws OptionInvalidError, whose message names the header but never its value */
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
    throw new OptionInvalidError(
      'x-mte-encode-headers is neither true nor false nor a list of names',
    );
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
