/** `npm run secret`: prints a fresh secret of 32 random bytes, fit for CLIENT_ID_SECRET or OUTBOUND_TOKEN. */
import { randomBytes } from 'node:crypto';

console.log(randomBytes(32).toString('base64url'));
