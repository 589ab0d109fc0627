import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { openSocket } from '../network/raw-socket.js';
import { headBytes, type Field } from '../network/raw-http.js';
import { startRedisServer, type RedisServer } from '../redis/redis-server.js';
import { type RelayEnvironment } from '../relays/relay.js';
import { startRelayProcess, type RelayProcess } from '../processes/relay-process.js';
import { startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';
import { connectRedis } from '../redis/session-store.js';
import { startTap, type Tap } from '../attackers/tap.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';

/** A word that is part of every input to the tunnel, and of nothing that belongs to the relays themselves. */
export const CANARY = 'canary';

const CREDENTIALS = {
  CLIENT_ID_SECRET: 'canary-secret-kq7Zt1mXw9LrB4vNc8Yp2Hs',
  CLIENT_ID_SECRET_ALT: 'canary-secret-Jd6Gf3TaEkq7Zt1mXw9LrB4v',
  OUTBOUND_TOKEN: 'canary-token-Nc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN_ALT: 'canary-token-Zt1mXw9LrB4vNc8Yp',
};
/** The only canary that clients are meant to see. */
export const CONFIGURED_FIELD = 'x-configured: canary-configured';
const REDIS_PASSWORD = 'canary-password-of-the-store';
const LIMIT_MS = '400';

/** Makes the process throw an uncaught error when a test sends it SIGUSR2. */
const CRASH = `process.on('SIGUSR2', () => { throw new TypeError('a crash'); });`;

/** A client's request; every part that is left out contains the canary. */
export interface CanaryRequest {
  readonly startLine?: string;
  /** Instead of the token that a client of this tunnel sends. */
  readonly token?: readonly string[];
  readonly upstream?: string;
  readonly fields?: readonly Field[];
  readonly body?: string;
  /** Sends the request directly to the inbound relay. */
  readonly toInbound?: boolean;
}

/** Two relays in separate processes, with a Redis for sessions and canaries in all their inputs. */
export interface CanaryTunnel {
  readonly inbound: RelayProcess;
  readonly outbound: RelayProcess;
  /** The environment of the inbound relay. */
  readonly environment: RelayEnvironment;
  readonly upstream: ScriptedUpstream;
  readonly redis: RedisServer;
  /** Changes the password of Redis, and kills the relays' connections to it. */
  lockRedis(): Promise<void>;
  /** Records the bytes between the relays. */
  readonly tap: Tap;
  /** Every credential, in every encoding in which it could be written. */
  readonly credentialForms: readonly string[];
  /** The bytes of a request. */
  bytesOf(request?: CanaryRequest): Buffer;
  /** Sends a request and returns all bytes that are received until the connection ends. */
  send(request?: CanaryRequest): Promise<string>;
  close(): Promise<void>;
}

export async function startCanaryTunnel(): Promise<CanaryTunnel> {
  const folder = await temporaryFolder();
  const preload = join(folder.path, 'crash.mjs');
  await writeFile(preload, CRASH);
  const [upstream, redis] = await Promise.all([startScriptedUpstream(), startRedisServer()]);
  const operator = connectRedis(redis.url);
  await operator.config('SET', 'requirepass', REDIS_PASSWORD);
  const environment: RelayEnvironment = {
    ...CREDENTIALS,
    NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`,
    DEBUG: 'true',
    ADMIN_PORT: '0',
    HEADERS: JSON.stringify(Object.fromEntries([CONFIGURED_FIELD.split(': ')])),
    RESPONSE_TIMEOUT_MS: LIMIT_MS,
    IDLE_TIMEOUT_MS: LIMIT_MS,
  };
  const ofInbound: RelayEnvironment = {
    ...environment,
    UPSTREAM: upstream.url,
    REDIS_URL: `redis://:${REDIS_PASSWORD}@127.0.0.1:${redis.port}`,
    MTE_ROUTES: '/api/*',
    PASS_THROUGH_ROUTES: '/open/*',
  };
  const [inbound, outbound] = await Promise.all([
    startRelayProcess(ofInbound),
    startRelayProcess(environment),
  ]);
  const tap = await startTap(inbound.port);

  const bytesOf = ({
    startLine = 'POST /api/canary-path?canary-query=canary HTTP/1.1',
    token = [CREDENTIALS.OUTBOUND_TOKEN],
    upstream: to = tap.url,
    fields = [],
    body = 'canary-body',
  }: CanaryRequest = {}): Buffer => {
    const ownFields: Field[] = [
      ['host', 'canary.example'],
      ['connection', 'close'],
      ...token.map((value): Field => ['x-mte-outbound-token', value]),
      ['x-mte-upstream', to],
      ['authorization', 'Bearer canary-authorization'],
      ['cookie', 'canary-name=canary-cookie'],
      ['x-canary', 'canary-value'],
      ['content-length', String(body.length)],
    ];
    return Buffer.concat([headBytes(startLine, [...ownFields, ...fields]), Buffer.from(body)]);
  };
  return {
    inbound,
    outbound,
    environment: ofInbound,
    upstream,
    redis,
    lockRedis: async () => {
      await operator.config('SET', 'requirepass', `another-${REDIS_PASSWORD}`);
      await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    tap,
    credentialForms: [...Object.values(CREDENTIALS), REDIS_PASSWORD].flatMap(formsOf),
    bytesOf,
    send: async (request = {}) => {
      const { port } = request.toInbound === true ? inbound : outbound;
      const socket = openSocket(port);
      socket.write(bytesOf(request));
      const received = await socket.all();
      await socket.close();
      return received.toString('latin1');
    },
    close: async () => {
      await Promise.all(
        [inbound, outbound, upstream, tap, folder, operator].map((each) => each.close()),
      );
      await redis.stop();
    },
  };
}

function formsOf(credential: string): string[] {
  const bytes = Buffer.from(credential);
  return [
    credential,
    ...(['hex', 'base64', 'base64url'] as const).map((form) => bytes.toString(form)),
  ];
}
