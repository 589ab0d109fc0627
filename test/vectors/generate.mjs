/**
 * Computes known answers from constants, according to docs/protocol.md, and prints the file that is named:
 * protocol-1-more.json, if none is. It imports no code of the product: only node:crypto, and a different
 * implementation of X-Wing than the product uses.
 *
 *     node test/vectors/generate.mjs protocol-1.json > test/vectors/protocol-1.json
 *     node test/vectors/generate.mjs > test/vectors/protocol-1-more.json
 */
import { Buffer } from 'node:buffer';
import process from 'node:process';

import { protocol1 } from './generator/protocol-1.mjs';
import { protocol1More } from './generator/protocol-1-more.mjs';

const files = { 'protocol-1.json': protocol1, 'protocol-1-more.json': protocol1More };
const [name = 'protocol-1-more.json'] = process.argv.slice(2);
if (!Object.hasOwn(files, name)) {
  throw new Error(`Name one of ${Object.keys(files).join(', ')}.`);
}

/** JSON.stringify calls a Buffer's own toJSON first, which returns a list of numbers. */
const hexOctets = (key, value) =>
  value !== null && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value;

process.stdout.write(`${JSON.stringify(files[name], hexOctets, 1)}\n`);
