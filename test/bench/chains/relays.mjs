/** Two relays, as `npm run build` made them. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { URL, fileURLToPath } from 'node:url';

import { start } from '../processes.mjs';

const MAIN = fileURLToPath(new URL('../../../dist/apps/relay/src/main.js', import.meta.url));
const SECRET = randomBytes(32).toString('base64');
const TOKEN = Buffer.alloc(24, 'token').toString();

/** What a client of the first relay has to send. */
export const clientHeaders = (middlePort) => ({
  'x-mte-outbound-token': TOKEN,
  'x-mte-upstream': `http://127.0.0.1:${middlePort}`,
});

/** @param env - beyond what every relay needs */
export function startRelay(port, upstreamPort, env = {}) {
  return start(process.execPath, [...(process.env.BENCH_NODE_FLAGS?.split(' ') ?? []), MAIN], {
    UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    CLIENT_ID_SECRET: SECRET,
    OUTBOUND_TOKEN: TOKEN,
    REDIS_URL: 'memory://',
    HOST: '127.0.0.1',
    PORT: String(port),
    NODE_ENV: 'production',
    ...env,
  });
}

export function startRelayChain({ entryPort, middlePort, upstreamPort }, env) {
  return [startRelay(entryPort, upstreamPort, env), startRelay(middlePort, upstreamPort, env)];
}
