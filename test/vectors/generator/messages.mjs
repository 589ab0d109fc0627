/** Heads, records, message keys: docs/protocol.md, section 6. */
import { Buffer } from 'node:buffer';

import { expand, sealed, uint } from './notation.mjs';

export const requestKey = (session, header) =>
  expand(session.k_c2s, `mte-relay/1 request\0${header}`);
export const responseKey = (session, request, response) =>
  expand(session.k_s2c, `mte-relay/1 response\0${request}\0${response}`);

// RFC 9292, with the integers of RFC 9000 in their shortest form.
function varint(value) {
  if (value < 2 ** 6) {return uint(value, 1);}
  if (value < 2 ** 14) {return uint(value + 0x4000, 2);}
  return uint(value + 0x8000_0000, 4);
}
const string = (text) => Buffer.concat([varint(text.length), Buffer.from(text, 'latin1')]);
const section = (fields) => {
  const lines = Buffer.concat(fields.map(string));
  return Buffer.concat([varint(lines.length), lines]);
};
export const requestHead = ({ method, scheme, authority, path, fields }) =>
  Buffer.concat([varint(0), ...[method, scheme, authority, path].map(string), section(fields)]);
export const responseHead = ({ status, fields }) =>
  Buffer.concat([varint(1), varint(status), section(fields)]);

/** @param headMultiple - record 0 is padded until content || type || pad is a multiple of it */
export function sealRecords(key, head, body, headMultiple = 256) {
  const contents = [head, ...body];
  return contents.map((content, index) => {
    const isLast = index === contents.length - 1;
    const typed = Buffer.concat([content, Buffer.of(index === 0 ? 1 : 2)]);
    const multiple = index === 0 ? headMultiple : 1;
    const padding = (multiple - (typed.length % multiple)) % multiple;
    const plaintext = Buffer.concat([typed, Buffer.alloc(padding)]);
    const header = uint(plaintext.length + 16 + (isLast ? 2 ** 31 : 0), 4);
    const nonce = Buffer.concat([Buffer.alloc(7), uint(index, 4), Buffer.of(isLast ? 1 : 0)]);
    return Buffer.concat([header, sealed(key, nonce, header, plaintext)]);
  });
}
