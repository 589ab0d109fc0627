import { createHmac } from 'node:crypto';

/** RFC 9180 mode_psk, export-only, with KEM 0x647A and HKDF-SHA256: written from the RFC, with node:crypto alone. */
const MODE_PSK = 0x01;
const SUITE_ID = Buffer.concat([Buffer.from('HPKE'), Buffer.from('647a0001ffff', 'hex')]);
const VERSION = Buffer.from('HPKE-v1');

/** Sections 5.1 (KeySchedule) and 5.3 (Export) combined. @returns a function that exports the secret of a label */
export function hpkeExporter(
  sharedSecret: Uint8Array,
  info: Uint8Array,
  psk: Uint8Array,
  pskId: Uint8Array,
): (label: string, bytes: number) => Buffer {
  const pskIdHash = labeledExtract('', 'psk_id_hash', pskId);
  const infoHash = labeledExtract('', 'info_hash', info);
  const scheduleContext = Buffer.concat([Buffer.of(MODE_PSK), pskIdHash, infoHash]);
  const secret = labeledExtract(sharedSecret, 'secret', psk);
  const exporterSecret = labeledExpand(secret, 'exp', scheduleContext, 32);
  return (label, bytes) => labeledExpand(exporterSecret, 'sec', Buffer.from(label), bytes);
}

/** Section 4. */
function labeledExtract(salt: string | Uint8Array, label: string, input: Uint8Array): Buffer {
  return createHmac('sha256', salt)
    .update(VERSION)
    .update(SUITE_ID)
    .update(label)
    .update(input)
    .digest();
}

/** Section 4; at most 32 bytes, so RFC 5869's second step has one block. */
function labeledExpand(key: Uint8Array, label: string, info: Uint8Array, bytes: number): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes);
  return createHmac('sha256', key)
    .update(length)
    .update(VERSION)
    .update(SUITE_ID)
    .update(label)
    .update(info)
    .update(Buffer.of(1))
    .digest()
    .subarray(0, bytes);
}
