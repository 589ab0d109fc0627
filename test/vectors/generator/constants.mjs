/** The inputs of both files, so both describe the same session. */
import { pairing } from './pairing.mjs';
import { repeated } from './notation.mjs';
import { secretKeys } from './signatures.mjs';

export const secret = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
export const altSecret = 'Zr8cQ1vN4mT7xKfL0sHbWd3yGpJ6uEaR';
export const clientId = 'relay-a-1';
export const unixMs = 1767225600000;
export const audience = 'https://b.example';
export const lifetime = 3600;
/** That of the store of protocol-1-cases.json. */
export const epoch = '8ac1f753a4a72dbd2ec50ce35d690db02b5b8a0f';
export const seed = repeated(7, 32);
export const eseed = repeated(9, 64);

export const keys = secretKeys(secret);
export const altKeys = secretKeys(altSecret);
const maxMessages = 2 ** 20 - 1;
const request = { keys, clientId, unixMs, audience, seed, lifetime, maxMessages };
export const session = pairing({ ...request, eseed });
/** What the same pair request, delivered again, makes of a responder whose store was lost: the same sid, other keys. */
export const recreatedEseed = repeated(10, 64);
export const recreatedSession = pairing({ ...request, eseed: recreatedEseed });
