import type { RelayConfig } from './relay-config.js';

type Derived =
  | 'directory'
  | 'tunnelResponseHeaders'
  | 'redisAddress'
  | 'effectiveLogLevel';

/** A property of `RelayConfig` that is read from an environment variable. */
export type RelayConfigProperty = Exclude<keyof RelayConfig, Derived>;

/** The environment variable that each property of `RelayConfig` is read from. */
export const ENVIRONMENT_VARIABLES = {
  relayConfigFile: 'RELAY_CONFIG_FILE',
  upstream: 'UPSTREAM',
  upstreamHost: 'UPSTREAM_HOST',
  clientIdSecret: 'CLIENT_ID_SECRET',
  clientIdSecretAlt: 'CLIENT_ID_SECRET_ALT',
  clientId: 'CLIENT_ID',
  outboundToken: 'OUTBOUND_TOKEN',
  outboundTokenAlt: 'OUTBOUND_TOKEN_ALT',
  redisUrl: 'REDIS_URL',
  redisPrefix: 'REDIS_PREFIX',
  redisCommandTimeoutMs: 'REDIS_COMMAND_TIMEOUT_MS',
  redisTlsCaFile: 'REDIS_TLS_CA_FILE',
  redisTlsCertFile: 'REDIS_TLS_CERT_FILE',
  redisTlsKeyFile: 'REDIS_TLS_KEY_FILE',
  redisSentinelPassword: 'REDIS_SENTINEL_PASSWORD',
  port: 'PORT',
  host: 'HOST',
  tlsCertFile: 'TLS_CERT_FILE',
  tlsKeyFile: 'TLS_KEY_FILE',
  debug: 'DEBUG',
  logLevel: 'LOG_LEVEL',
  headers: 'HEADERS',
  requestHeaders: 'REQUEST_HEADERS',
  responseHeaders: 'RESPONSE_HEADERS',
  forwardedHeaders: 'FORWARDED_HEADERS',
  rewriteLocation: 'REWRITE_LOCATION',
  outboundAllowedUpstreams: 'OUTBOUND_ALLOWED_UPSTREAMS',
  passThroughRoutes: 'PASS_THROUGH_ROUTES',
  mteRoutes: 'MTE_ROUTES',
  corsOrigins: 'CORS_ORIGINS',
  corsMethods: 'CORS_METHODS',
  relayAudience: 'RELAY_AUDIENCE',
  sessionLifetimeSeconds: 'SESSION_LIFETIME_SECONDS',
  sessionMaxMessages: 'SESSION_MAX_MESSAGES',
  retryUnsafeMethods: 'RETRY_UNSAFE_METHODS',
  tunnelTransport: 'TUNNEL_TRANSPORT',
  channelsPerPeer: 'CHANNELS_PER_PEER',
  maxChannelsPerPeer: 'MAX_CHANNELS_PER_PEER',
  channelLifetimeSeconds: 'CHANNEL_LIFETIME_SECONDS',
  channelBufferBytes: 'CHANNEL_BUFFER_BYTES',
  upgradeProtocols: 'UPGRADE_PROTOCOLS',
  maxUpgradedConnections: 'MAX_UPGRADED_CONNECTIONS',
  maxConcurrentRequests: 'MAX_CONCURRENT_REQUESTS',
  maxPassThroughRequests: 'MAX_PASS_THROUGH_REQUESTS',
  maxPairingsPerMinute: 'MAX_PAIRINGS_PER_MINUTE',
  connectTimeoutMs: 'CONNECT_TIMEOUT_MS',
  responseTimeoutMs: 'RESPONSE_TIMEOUT_MS',
  idleTimeoutMs: 'IDLE_TIMEOUT_MS',
  shutdownTimeoutMs: 'SHUTDOWN_TIMEOUT_MS',
  shutdownDelayMs: 'SHUTDOWN_DELAY_MS',
  adminPort: 'ADMIN_PORT',
  adminHost: 'ADMIN_HOST',
  workers: 'WORKERS',
  nodeEnv: 'NODE_ENV',
} as const satisfies Record<RelayConfigProperty, string>;
