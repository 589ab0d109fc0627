import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { type HeaderField, headerFields } from './rules/headers.js';
import {
  KeyOfCertificate,
  LISTENER_PAIR,
  NeedsKey,
  pemFile,
  REDIS_PAIR,
} from './rules/key-pair.js';
import { method } from './rules/method.js';
import { NeedsSentinels, NeedsTls } from './rules/redis-tls.js';
import { MEMORY_URL, type RedisAddress, redisAddress, redisUrl } from './rules/redis-url.js';
import { route } from './rules/routes.js';
import { FromText, Integer, listOf, Refused, StrictBoolean } from './rules/rule.js';
import { NoPlaceholderInProduction, secret, token } from './rules/secrets.js';
import { baseUrl, origin } from './rules/url.js';
import { NeedsSharedSessions, workerCount } from './rules/workers.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** A level of the logger; `silent` logs nothing. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const pathStart = (url: string): number => {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash === -1 ? url.length : slash;
};

/**
 * What one relay process was told at its start: validated, deeply frozen, injected by class.
 *
 * Made by `loadConfig`. Implicit conversion stays off: it turns `false` into true and an empty port
 * into 0.
 */
export class RelayConfig {
  /** `UPSTREAM`: http(s) URL of the API behind this relay, without a trailing slash. */
  @FromText(baseUrl)
  readonly upstream!: string;

  /** `CLIENT_ID_SECRET`: shared by the two relays of a tunnel; at least 16 characters. */
  @FromText(secret)
  @NoPlaceholderInProduction()
  readonly clientIdSecret!: string;

  /** `CLIENT_ID_SECRET_ALT`: a second secret that is accepted, never signed with. */
  @IsOptional()
  @FromText(secret)
  @NoPlaceholderInProduction()
  readonly clientIdSecretAlt?: string;

  /** `CLIENT_ID`: the name by which peers know this process, 1 to 64 characters; unset: random. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, "_" or "-"',
  })
  readonly clientId?: string;

  /** `OUTBOUND_TOKEN`: bearer token of clients; visible ASCII, at least 8 characters. */
  @FromText(token)
  @NoPlaceholderInProduction()
  readonly outboundToken!: string;

  /** `OUTBOUND_TOKEN_ALT`: a second token that is accepted. */
  @IsOptional()
  @FromText(token)
  @NoPlaceholderInProduction()
  readonly outboundTokenAlt?: string;

  /** `REDIS_URL`: where sessions are kept; `memory://` keeps them in this process. */
  @FromText(redisUrl)
  readonly redisUrl!: string;

  /** `REDIS_PREFIX`: what every key in Redis begins with. */
  @Matches(/^[A-Za-z0-9:._-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, ":", ".", "_" or "-"',
  })
  readonly redisPrefix: string = 'mte:';

  /** `REDIS_COMMAND_TIMEOUT_MS`: limit on one operation in Redis, 50 to 10000 ms. */
  @Integer(50, 10_000)
  readonly redisCommandTimeoutMs: number = 800;

  /** `REDIS_TLS_CA_FILE`: PEM file of the authorities that sign for Redis; unset: the system's. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsTls()
  readonly redisTlsCaFile?: string;

  /** `REDIS_TLS_CERT_FILE`: PEM file of the certificate that this relay shows to Redis. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsTls()
  @NeedsKey(REDIS_PAIR)
  readonly redisTlsCertFile?: string;

  /** `REDIS_TLS_KEY_FILE`: PEM file of its key. */
  @IsOptional()
  @FromText(pemFile('PRIVATE KEY'))
  @NeedsTls()
  @KeyOfCertificate(REDIS_PAIR)
  readonly redisTlsKeyFile?: string;

  /** `REDIS_SENTINEL_PASSWORD`: what the sentinels themselves ask for, if they do. */
  @IsOptional()
  @NeedsSentinels()
  readonly redisSentinelPassword?: string;

  /** `PORT`: 0 to 65535; 0 lets the system choose. */
  @Integer(0, 65_535)
  readonly port: number = 8080;

  /** `HOST`: the address to listen on. */
  @Matches(/^[A-Za-z0-9.:_%-]{1,255}$/, { message: 'must be an IP address or a host name' })
  readonly host: string = '0.0.0.0';

  /** `TLS_CERT_FILE`: PEM file of the certificate, and those between it and its authority, that `port` shows. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsKey(LISTENER_PAIR)
  readonly tlsCertFile?: string;

  /** `TLS_KEY_FILE`: PEM file of its key; with both, `port` speaks HTTPS. */
  @IsOptional()
  @FromText(pemFile('PRIVATE KEY'))
  @KeyOfCertificate(LISTENER_PAIR)
  readonly tlsKeyFile?: string;

  /** `DEBUG`: debug logs, and an `x-request-id` on responses. */
  @StrictBoolean()
  readonly debug: boolean = false;

  /** `LOG_LEVEL`: as given; see `effectiveLogLevel`. */
  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  readonly logLevel: LogLevel = 'info';

  /** `HEADERS`: lower-cased fields that this relay sets on what it forwards and returns. */
  @FromText(headerFields)
  readonly headers: readonly HeaderField[] = [];

  /** `OUTBOUND_ALLOWED_UPSTREAMS`: origins that clients may name as peer; undefined: any. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly outboundAllowedUpstreams?: readonly string[];

  /** `PASS_THROUGH_ROUTES`: exact paths, or prefixes ending in `*`, proxied without encoding. */
  @FromText(listOf(route))
  readonly passThroughRoutes: readonly string[] = [];

  /** `MTE_ROUTES`: exact paths, or prefixes ending in `*`, open to the tunnel; undefined: all. */
  @IsOptional()
  @FromText(listOf(route))
  readonly mteRoutes?: readonly string[];

  /** `CORS_ORIGINS`: origins of browsers that this relay answers for; undefined: CORS is the upstream's. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly corsOrigins?: readonly string[];

  /** `CORS_METHODS`: methods that a preflight allows. */
  @FromText(listOf(method))
  readonly corsMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

  /** `RELAY_AUDIENCE`: origins by which peers know this relay; undefined: not compared. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly relayAudience?: readonly string[];

  /** `SESSION_LIFETIME_SECONDS`: 300 to 86400. */
  @Integer(300, 86_400)
  readonly sessionLifetimeSeconds: number = 3600;

  /** `SESSION_MAX_MESSAGES`: 1 to 1048575 messages a session. */
  @Integer(1, 1_048_575)
  readonly sessionMaxMessages: number = 262_143;

  /** `RETRY_UNSAFE_METHODS`: whether POST and PATCH go out again after a verified "not forwarded". */
  @StrictBoolean()
  readonly retryUnsafeMethods: boolean = true;

  /** `MAX_CONCURRENT_REQUESTS`: 1 to 1000000 requests that this process forwards at the same time. */
  @Integer(1, 1_000_000)
  readonly maxConcurrentRequests: number = 5000;

  /** `MAX_PAIRINGS_PER_MINUTE`: 1 to 100000 pairings that one peer may make with this relay, at once or in a minute. */
  @Integer(1, 100_000)
  readonly maxPairingsPerMinute: number = 300;

  /** `CONNECT_TIMEOUT_MS`: limit on connecting, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly connectTimeoutMs: number = 5000;

  /** `RESPONSE_TIMEOUT_MS`: limit from the end of a request to its response head, 1 to 3600000 ms. */
  @Integer(1, 3_600_000)
  readonly responseTimeoutMs: number = 60_000;

  /** `IDLE_TIMEOUT_MS`: limit on silence within a body, 0 to 3600000 ms; 0: no limit. */
  @Integer(0, 3_600_000)
  readonly idleTimeoutMs: number = 60_000;

  /** `SHUTDOWN_TIMEOUT_MS`: limit on draining at shutdown, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly shutdownTimeoutMs: number = 15_000;

  /** `SHUTDOWN_DELAY_MS`: how long requests are still accepted after the process was told to stop, 0 to 600000 ms. */
  @Integer(0, 600_000)
  readonly shutdownDelayMs: number = 0;

  /** `ADMIN_PORT`: port of the listener for metrics and health; 0 lets the system choose; undefined: none. */
  @IsOptional()
  @Integer(0, 65_535)
  readonly adminPort?: number;

  /** `ADMIN_HOST`: the address that the admin listener listens on. */
  @Matches(/^[A-Za-z0-9.:_%-]{1,255}$/, { message: 'must be an IP address or a host name' })
  readonly adminHost: string = '127.0.0.1';

  /** `WORKERS`: processes that share the work of this relay, 1 to 64; `auto`: one for each core. */
  @FromText(workerCount)
  @NeedsSharedSessions()
  readonly workers: number = 1;

  /** `NODE_ENV`: `production` refuses documented placeholders. */
  @IsString()
  readonly nodeEnv: string = '';

  /** Scheme, host and port of the upstream, such as `http://localhost:3000`. */
  get upstreamOrigin(): string {
    return this.upstream.slice(0, pathStart(this.upstream));
  }

  /** What stands before every path at the upstream: empty, or such as `/base`. */
  get upstreamBasePath(): string {
    return this.upstream.slice(pathStart(this.upstream));
  }

  /** What `REDIS_URL` says, taken apart; undefined where sessions stay in the process. */
  get redisAddress(): RedisAddress | undefined {
    const address = this.redisUrl === MEMORY_URL ? undefined : redisAddress(this.redisUrl);
    return address instanceof Refused ? undefined : address;
  }

  /** The level to log at: `DEBUG` wins over `LOG_LEVEL`. */
  get effectiveLogLevel(): LogLevel {
    return this.debug ? 'debug' : this.logLevel;
  }
}
