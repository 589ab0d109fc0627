import type { RawFields } from '@relay/fields';

import { HeadInvalidError } from './protocol.errors.js';
import { MAX_CONTENT_BYTES } from './record.js';
import { VarintReader, varintBytes, writeVarint } from './varint.js';

/** The head of a request inside a message. protocol.md section 6. */
export interface RequestHead {
  /** Case-sensitive. */
  readonly method: string;
  /** The scheme of the client's connection to the outbound role. */
  readonly scheme: 'http' | 'https';
  /** The host that the client named, as `host` or `host:port`; empty if it named none. */
  readonly authority: string;
  /** Path and query, beginning with one slash. */
  readonly path: string;
  /** With names in lower case. */
  readonly fields: RawFields;
}

/** The head of a response inside a message. protocol.md section 6. */
export interface ResponseHead {
  /** 200 … 599, once checkResponseHead has accepted the head. */
  readonly status: number;
  /** With names in lower case. */
  readonly fields: RawFields;
}

/** RFC 9292 framing indicators of the known-length form. */
const KNOWN_LENGTH_REQUEST = 0;
const KNOWN_LENGTH_RESPONSE = 1;

/**
 * Encodes a head that checkRequestHead has accepted, in the form of RFC 9292 up to the end of the header section.
 * protocol.md section 6.
 *
 * @returns a new buffer, which the caller owns
 * @throws HeadInvalidError if it exceeds 65,536 bytes, the capacity of one record
 */
export function encodeRequestHead(head: RequestHead): Buffer {
  const fieldBytes = sectionBytes(head.fields);
  const controlBytes =
    1 +
    stringBytes(head.method) +
    stringBytes(head.scheme) +
    stringBytes(head.authority) +
    stringBytes(head.path);
  const target = allocateHead(controlBytes + varintBytes(fieldBytes) + fieldBytes);
  let offset = writeVarint(target, KNOWN_LENGTH_REQUEST, 0);
  offset = writeString(target, head.method, offset);
  offset = writeString(target, head.scheme, offset);
  offset = writeString(target, head.authority, offset);
  offset = writeString(target, head.path, offset);
  writeFields(target, head.fields, fieldBytes, offset);
  return target;
}

/**
 * Encodes a head that checkResponseHead has accepted, in the form of RFC 9292 up to the end of the header section.
 * protocol.md section 6.
 *
 * @returns a new buffer, which the caller owns
 * @throws HeadInvalidError if it exceeds 65,536 bytes, the capacity of one record
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
 * Decodes the head of a request. protocol.md section 6.
 *
 * @param bytes - the whole content of a head record; only read
 * @returns a well-formed head, to which checkRequestHead must still be applied
 * @throws HeadInvalidError if the bytes are not exactly one request head
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
  const authority = reader.readString();
  const path = reader.readString();
  return { method, scheme, authority, path, fields: readFields(reader) };
}

/**
 * Decodes the head of a response. protocol.md section 6.
 *
 * @param bytes - the whole content of a head record; only read
 * @returns a well-formed head, to which checkResponseHead must still be applied
 * @throws HeadInvalidError if the bytes are not exactly one response head
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
