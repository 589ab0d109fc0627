/** `npm run secret`: prints a new secret of 32 random bytes, suitable for CLIENT_ID_SECRET or OUTBOUND_TOKEN. */
import { randomBytes } from 'node:crypto';

console.log(randomBytes(32).toString('base64url'));
