import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { type HeaderField, NotAlsoInHeaders, headerRules } from './rules/headers.js';
import {
  KeyOfCertificate,
  LISTENER_PAIR,
  NeedsKey,
  pemFile,
  REDIS_PAIR,
} from './rules/key-pair.js';
import { method } from './rules/method.js';
import type { Directory } from './directory/directory.js';
import { domainMap, type Domain } from './directory/domain-map.js';
import { FitsVariables } from './directory/domain-rules.js';
import { NeedsSentinels, NeedsTls } from './rules/redis-tls.js';
import { MEMORY_URL, type RedisAddress, redisAddress, redisUrl } from './rules/redis-url.js';
import { route } from './rules/routes.js';
import {
  FromText,
  Integer,
  listOf,
  Refused,
  RequiredWithoutDirectory,
  StrictBoolean,
} from './rules/rule.js';
import { NotWeakInProduction, secret, token } from './rules/secrets.js';
import { upstreamHost } from './rules/upstream-host.js';
import { baseUrl, origin } from './rules/url.js';
import { NeedsSharedSessions, workerCount } from './rules/workers.js';
import { AdminOptions } from './admin-options.js';
import { LOG_FORMATS, type LogFormat } from './log-format.js';

const HEADER_RULES = headerRules({ request: 'REQUEST_HEADERS', response: 'RESPONSE_HEADERS' });

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** A level of the logger; `silent` logs nothing. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The configuration of one relay process: validated, deeply frozen, injected by class. Only `loadConfig` creates it.
 *
 * The implicit conversion of class-transformer stays off, because it turns the text `false` into true and an empty port
 * into 0.
 */
export class RelayConfig extends AdminOptions {
  /** `RELAY_CONFIG_FILE`: YAML file of peers, clients and tenants; what it describes comes from no variable. */
  @IsOptional()
  @IsString()
  readonly relayConfigFile?: string;

  /** `DOMAIN_MAP`: an API for each host by which peers reach this relay; `*` is every other one. */
  @IsOptional()
  @FromText(domainMap)
  @FitsVariables()
  readonly domainMap?: readonly Domain[];

  /** `UPSTREAM`: http or https URL of the API behind this relay, without a trailing slash. */
  @RequiredWithoutDirectory()
  @FromText(baseUrl)
  readonly upstream?: string;

  /** `UPSTREAM_HOST`: the host that the upstream is told: its own (`upstream`), the client's (`client`) or a fixed one. */
  @FromText(upstreamHost)
  readonly upstreamHost: string = 'upstream';

  /** `CLIENT_ID_SECRET`: shared by the two relays of a tunnel; at least 16 characters. */
  @RequiredWithoutDirectory()
  @FromText(secret)
  @NotWeakInProduction()
  readonly clientIdSecret?: string;

  /** `CLIENT_ID_SECRET_ALT`: a second secret that is accepted but never used to sign. */
  @IsOptional()
  @FromText(secret)
  @NotWeakInProduction()
  readonly clientIdSecretAlt?: string;

  /** `CLIENT_ID`: the name of this process to its peers, 1 to 64 characters; if undefined, a random name is used. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, "_" or "-"',
  })
  readonly clientId?: string;

  /** `OUTBOUND_TOKEN`: bearer token that clients send; visible ASCII, at least 8 characters. */
  @RequiredWithoutDirectory()
  @FromText(token)
  @NotWeakInProduction()
  readonly outboundToken?: string;

  /** `OUTBOUND_TOKEN_ALT`: a second token that is also accepted. */
  @IsOptional()
  @FromText(token)
  @NotWeakInProduction()
  readonly outboundTokenAlt?: string;

  /** `REDIS_URL`: where sessions are kept; `memory://` keeps them in this process. */
  @FromText(redisUrl)
  readonly redisUrl!: string;

  /** `REDIS_PREFIX`: what every key in Redis begins with, 1 to 64 characters. */
  @Matches(/^[A-Za-z0-9:._-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, ":", ".", "_" or "-"',
  })
  readonly redisPrefix: string = 'mte:';

  /** `REDIS_COMMAND_TIMEOUT_MS`: time limit of one Redis operation, 50 to 10000 ms. */
  @Integer(50, 10_000)
  readonly redisCommandTimeoutMs: number = 800;

  /** `REDIS_TLS_CA_FILE`: PEM file of the authorities that Redis is verified against; if undefined, Node.js's own. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsTls()
  readonly redisTlsCaFile?: string;

  /** `REDIS_TLS_CERT_FILE`: PEM file of the certificate that this relay presents to Redis. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsTls()
  @NeedsKey(REDIS_PAIR)
  readonly redisTlsCertFile?: string;

  /** `REDIS_TLS_KEY_FILE`: PEM file of the private key of that certificate, without a passphrase. */
  @IsOptional()
  @FromText(pemFile('PRIVATE KEY'))
  @NeedsTls()
  @KeyOfCertificate(REDIS_PAIR)
  readonly redisTlsKeyFile?: string;

  /** `REDIS_SENTINEL_PASSWORD`: the password that the sentinels themselves require, if any. */
  @IsOptional()
  @NeedsSentinels()
  readonly redisSentinelPassword?: string;

  /** `PORT`: the port to listen on, 0 to 65535; with 0, the system chooses one. */
  @Integer(0, 65_535)
  readonly port: number = 8080;

  /** `HOST`: the address to listen on. */
  @Matches(/^[A-Za-z0-9.:_%-]{1,255}$/, { message: 'must be an IP address or a host name' })
  readonly host: string = '0.0.0.0';

  /** `TLS_CERT_FILE`: PEM file of the certificate that `port` presents, followed by its intermediate certificates. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsKey(LISTENER_PAIR)
  readonly tlsCertFile?: string;

  /** `TLS_KEY_FILE`: PEM file of its private key, without a passphrase. If both files are set, `port` serves HTTPS. */
  @IsOptional()
  @FromText(pemFile('PRIVATE KEY'))
  @KeyOfCertificate(LISTENER_PAIR)
  readonly tlsKeyFile?: string;

  /** `DEBUG`: whether to log at level debug and to set `x-request-id` on responses. */
  @StrictBoolean()
  readonly debug: boolean = false;

  /** `LOG_LEVEL`: the level as it was set; `effectiveLogLevel` is the level to log at. */
  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  readonly logLevel: LogLevel = 'info';

  /** `LOG_FORMAT`: how the log is written; if undefined, it depends on where it goes, see `logFormatFor`. */
  @IsOptional()
  @IsIn(LOG_FORMATS, { message: `must be one of ${LOG_FORMATS.join(', ')}` })
  readonly logFormat?: LogFormat;

  /** `HEADERS`: fields, with lower-case names, that this relay sets on forwarded requests and on their responses. */
  @FromText(HEADER_RULES.headers)
  readonly headers: readonly HeaderField[] = [];

  /** `REQUEST_HEADERS`: fields that this relay sets on requests of peers to its own upstream, and on nothing else. */
  @FromText(HEADER_RULES.requestHeaders)
  @NotAlsoInHeaders()
  readonly requestHeaders: readonly HeaderField[] = [];

  /** `RESPONSE_HEADERS`: fields that this relay sets on responses to clients with the token and to peers. */
  @FromText(HEADER_RULES.responseHeaders)
  @NotAlsoInHeaders()
  readonly responseHeaders: readonly HeaderField[] = [];

  /** `FORWARDED_HEADERS`: whether `Forwarded` and `X-Forwarded-*` are made by the relays; to be set on both. */
  @StrictBoolean()
  readonly forwardedHeaders: boolean = false;

  /** `REWRITE_LOCATION`: whether URLs in `location`, `content-location` and `destination` are translated. */
  @StrictBoolean()
  readonly rewriteLocation: boolean = false;

  /** `OUTBOUND_ALLOWED_UPSTREAMS`: origins that clients may name as peers; if undefined, any. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly outboundAllowedUpstreams?: readonly string[];

  /** `PASS_THROUGH_ROUTES`: exact paths, or prefixes ending in `*`, that are proxied without being sealed. */
  @FromText(listOf(route))
  readonly passThroughRoutes: readonly string[] = [];

  /** `MTE_ROUTES`: exact paths, or prefixes ending in `*`, that peers may request; if undefined, all. */
  @IsOptional()
  @FromText(listOf(route))
  readonly mteRoutes?: readonly string[];

  /** `CORS_ORIGINS`: browser origins that this relay handles CORS for; if undefined, CORS is left to the upstream. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly corsOrigins?: readonly string[];

  /** `CORS_METHODS`: methods that a preflight allows. */
  @FromText(listOf(method))
  readonly corsMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

  /** `RELAY_AUDIENCE`: origins by which peers may address this relay; if undefined, the audience is not compared. */
  @IsOptional()
  @FromText(listOf(origin))
  readonly relayAudience?: readonly string[];

  /** `SESSION_LIFETIME_SECONDS`: how long a session lasts after pairing, 300 to 86400 s. */
  @Integer(300, 86_400)
  readonly sessionLifetimeSeconds: number = 3600;

  /** `SESSION_MAX_MESSAGES`: how many messages a session may carry, 1 to 1048575. */
  @Integer(1, 1_048_575)
  readonly sessionMaxMessages: number = 262_143;

  /** `RETRY_UNSAFE_METHODS`: whether POST and PATCH are sent again after p = 0 or a broken connection. */
  @StrictBoolean()
  readonly retryUnsafeMethods: boolean = true;

  /** `MAX_CONCURRENT_REQUESTS`: how many requests of the tunnel this process forwards at the same time, 1 to 1000000. */
  @Integer(1, 1_000_000)
  readonly maxConcurrentRequests: number = 5000;

  /** `MAX_PASS_THROUGH_REQUESTS`: how many requests on pass-through routes it forwards besides them, 1 to 1000000. */
  @Integer(1, 1_000_000)
  readonly maxPassThroughRequests: number = 500;

  /** `MAX_PAIRINGS_PER_MINUTE`: rate limit of one peer's pairings with this relay, and its burst, 1 to 100000. */
  @Integer(1, 100_000)
  readonly maxPairingsPerMinute: number = 300;

  /** `CONNECT_TIMEOUT_MS`: time limit for connecting, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly connectTimeoutMs: number = 5000;

  /** `RESPONSE_TIMEOUT_MS`: time limit from the end of a request to its response head, 1 to 3600000 ms. */
  @Integer(1, 3_600_000)
  readonly responseTimeoutMs: number = 60_000;

  /** `IDLE_TIMEOUT_MS`: how long a body may be silent, 0 to 3600000 ms; 0 means no limit. */
  @Integer(0, 3_600_000)
  readonly idleTimeoutMs: number = 60_000;

  /** `SHUTDOWN_TIMEOUT_MS`: time limit for draining at shutdown, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly shutdownTimeoutMs: number = 15_000;

  /** `SHUTDOWN_DELAY_MS`: how long the process still accepts requests after a stop signal, 0 to 600000 ms. */
  @Integer(0, 600_000)
  readonly shutdownDelayMs: number = 0;

  /** `WORKERS`: how many processes share the work of this relay, 1 to 64; `auto` is one per available core. */
  @FromText(workerCount)
  @NeedsSharedSessions()
  readonly workers: number = 1;

  /** `NODE_ENV`: with `production`, weak secrets and other dangerous settings are refused. */
  @IsString()
  readonly nodeEnv: string = '';

  /** Whom this relay knows when it starts: from the variables and the file. The file may change it while the relay runs. */
  readonly directory!: Directory;

  /** `HEADERS` and `RESPONSE_HEADERS`: what is set on a response to a sender that has proved to hold the token or secret. */
  get tunnelResponseHeaders(): readonly HeaderField[] {
    return [...this.headers, ...this.responseHeaders];
  }

  /** The parts of `REDIS_URL`, or undefined if sessions are kept in the process. */
  get redisAddress(): RedisAddress | undefined {
    const address = this.redisUrl === MEMORY_URL ? undefined : redisAddress(this.redisUrl);
    return address instanceof Refused ? undefined : address;
  }

  /** The level to log at: `DEBUG` takes precedence over `LOG_LEVEL`. */
  get effectiveLogLevel(): LogLevel {
    return this.debug ? 'debug' : this.logLevel;
  }
}
