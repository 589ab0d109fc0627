import { randomBytes } from 'node:crypto';
import { readOptions } from '../arguments.js';

readOptions(
  `Usage: mte-api-relay secret

Prints a new secret of 32 random bytes, suitable for CLIENT_ID_SECRET or OUTBOUND_TOKEN.
Each of them needs its own: run it once for each.`,
  {},
);

console.log(randomBytes(32).toString('base64url'));
