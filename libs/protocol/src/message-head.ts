import type { RawFields } from '@relay/fields';

import { HeadInvalidError } from './protocol.errors.js';
import { MAX_CONTENT_BYTES } from './record.js';
import { VarintReader, varintBytes, writeVarint } from './varint.js';

/** The head of a request inside a message. protocol.md section 6. */
export interface RequestHead {
  readonly method: string;
  /** Scheme of the client's own connection; for information only. */
  readonly scheme: 'http' | 'https';
  /** Path with query. */
  readonly path: string;
  readonly fields: RawFields;
}

/** The head of a response inside a message. protocol.md section 6. */
export interface ResponseHead {
  readonly status: number;
  readonly fields: RawFields;
}

/** RFC 9292 framing indicators of the known-length form. */
const KNOWN_LENGTH_REQUEST = 0;
const KNOWN_LENGTH_RESPONSE = 1;

/**
 * Encodes a head that checkRequestHead has accepted: RFC 9292, cut behind the header section.
 *
 * @throws HeadInvalidError above 65,536 bytes, which is what one record holds
 */
export function encodeRequestHead(head: RequestHead): Buffer {
  const fieldBytes = sectionBytes(head.fields);
  const controlBytes =
    1 + stringBytes(head.method) + stringBytes(head.scheme) + 1 + stringBytes(head.path);
  const target = allocateHead(controlBytes + varintBytes(fieldBytes) + fieldBytes);
  let offset = writeVarint(target, KNOWN_LENGTH_REQUEST, 0);
  offset = writeString(target, head.method, offset);
  offset = writeString(target, head.scheme, offset);
  offset = writeString(target, '', offset);
  offset = writeString(target, head.path, offset);
  writeFields(target, head.fields, fieldBytes, offset);
  return target;
}

/**
 * Encodes a head that checkResponseHead has accepted: RFC 9292, cut behind the header section.
 *
 * @throws HeadInvalidError above 65,536 bytes, which is what one record holds
 */
export function encodeResponseHead(head: ResponseHead): Buffer {
  const fieldBytes = sectionBytes(head.fields);
  const controlBytes = 1 + varintBytes(head.status);
  const target = allocateHead(controlBytes + varintBytes(fieldBytes) + fieldBytes);
  let offset = writeVarint(target, KNOWN_LENGTH_RESPONSE, 0);
  offset = writeVarint(target, head.status, offset);
  writeFields(target, head.fields, fieldBytes, offset);
  return target;
}

/**
 * @returns a head whose rules have yet to be checked with checkRequestHead
 * @throws HeadInvalidError where the bytes are no request head
 */
export function decodeRequestHead(bytes: Buffer): RequestHead {
  const reader = new VarintReader(bytes);
  if (reader.readVarint() !== KNOWN_LENGTH_REQUEST) {
    throw new HeadInvalidError('not a request head');
  }
  const method = reader.readString();
  const scheme = reader.readString();
  if (scheme !== 'http' && scheme !== 'https') {
    throw new HeadInvalidError('scheme is neither http nor https');
  }
  if (reader.readString() !== '') {
    throw new HeadInvalidError('authority is not empty');
  }
  const path = reader.readString();
  return { method, scheme, path, fields: readFields(reader) };
}

/**
 * @returns a head whose rules have yet to be checked with checkResponseHead
 * @throws HeadInvalidError where the bytes are no response head
 */
export function decodeResponseHead(bytes: Buffer): ResponseHead {
  const reader = new VarintReader(bytes);
  if (reader.readVarint() !== KNOWN_LENGTH_RESPONSE) {
    throw new HeadInvalidError('not a response head');
  }
  const status = reader.readVarint();
  return { status, fields: readFields(reader) };
}

function readFields(reader: VarintReader): string[] {
  const section = reader.readSection();
  if (!reader.isAtEnd) {
    throw new HeadInvalidError('bytes follow the header section');
  }
  const fields: string[] = [];
  while (!section.isAtEnd) {
    fields.push(section.readString(), section.readString());
  }
  return fields;
}

function allocateHead(bytes: number): Buffer {
  if (bytes > MAX_CONTENT_BYTES) {
    throw new HeadInvalidError(`head of ${bytes} bytes exceeds the limit of ${MAX_CONTENT_BYTES}`);
  }
  return Buffer.allocUnsafe(bytes);
}

function stringBytes(text: string): number {
  return varintBytes(text.length) + text.length;
}

function sectionBytes(fields: RawFields): number {
  return fields.reduce((total, text) => total + stringBytes(text), 0);
}

function writeString(target: Buffer, text: string, offset: number): number {
  const start = writeVarint(target, text.length, offset);
  return start + target.write(text, start, 'latin1');
}

function writeFields(target: Buffer, fields: RawFields, bytes: number, offset: number): void {
  let end = writeVarint(target, bytes, offset);
  for (const text of fields) {
    end = writeString(target, text, end);
  }
}
