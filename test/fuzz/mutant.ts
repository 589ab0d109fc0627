import type { Random } from './random.js';

const MAX_MUTATIONS = 6;
const MAX_BYTES = 4_096;
/** Bytes at the limits of decoders. */
const EDGES = [0, 1, 2, 0x0a, 0x0d, 0x20, 0x2e, 0x2f, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
/** Byte sequences that are meaningful to a decoder. */
const WORDS = [
  ...[
    '\r\n',
    '\0',
    '//',
    '/../',
    '%2e',
    '%2f',
    '\\',
    '..',
    'GET',
    'CONNECT',
    'host',
    'x-mte-relay',
  ],
  ...[
    'content-length',
    'transfer-encoding',
    'connection',
    '1.error.560.0.',
    'mke',
    'mte',
    '1048576',
  ],
  ...['\x40\x00', '\x80\x01\x00\x00', '\xc0\x00\x00\x00\x00\x00\x00\x00', '\x7f\xff\xff\xff'],
].map((word) => Buffer.from(word, 'latin1'));

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const splice = (bytes: Buffer, from: number, to: number, ...inserted: Buffer[]): Buffer =>
  Buffer.concat([bytes.subarray(0, from), ...inserted, bytes.subarray(to)]);

const place = (bytes: Buffer, random: Random): number => random.below(bytes.length + 1);

const overwrite = (bytes: Buffer, at: number, octet: number): Buffer => {
  const copy = Buffer.from(bytes);
  if (at < copy.length) {
    copy[at] = octet & 0xff;
  }
  return copy;
};

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    const at = place(bytes, random);
    return overwrite(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
  },
  (bytes, random) => overwrite(bytes, place(bytes, random), random.below(256)),
  (bytes, random) => overwrite(bytes, place(bytes, random), random.oneOf(EDGES)),
  (bytes, random) => {
    const at = place(bytes, random);
    return overwrite(bytes, at, (bytes[at] ?? 0) + random.below(9) - 4);
  },
  (bytes, random) => {
    const from = place(bytes, random);
    return splice(bytes, from, from + 1 + random.below(8));
  },
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => {
    const at = place(bytes, random);
    return splice(bytes, at, at, random.oneOf(WORDS));
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return splice(bytes, at, at, Buffer.alloc(1 + random.below(64), random.below(256)));
  },
  (bytes, random) => {
    const from = place(bytes, random);
    const at = place(bytes, random);
    return splice(bytes, at, at, bytes.subarray(from, from + 1 + random.below(64)));
  },
  (bytes, random, others) => {
    const other = random.oneOf(others);
    const at = place(bytes, random);
    return splice(bytes, at, bytes.length, other.subarray(place(other, random)));
  },
];

/** A copy of `bytes` with one to six mutations, some of which insert parts of `others`. */
export function mutantOf(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let mutant = bytes;
  for (let left = 1 + random.below(MAX_MUTATIONS); left > 0; left -= 1) {
    mutant = random.oneOf(MUTATIONS)(mutant, random, others);
  }
  return Buffer.from(mutant.subarray(0, MAX_BYTES));
}
