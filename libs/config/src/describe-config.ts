import type { RelayConfigProperty } from './environment-variables.js';
import type { RelayConfig } from './relay-config.js';
import type { HeaderField } from './rules/headers.js';

const MASK = '***';

const shown = <T>(value: T): T => value;
const masked = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : MASK;

/** Shows the names: an operator has to see which fields are set. */
const maskedFields = (fields: readonly HeaderField[]): Record<string, string> =>
  Object.fromEntries(fields.map(([name]) => [name, MASK]));

/** Masks the credentials and keeps the hosts. `URL` cannot do this, because it rejects the list of hosts that Redis may have. */
const withoutAccount = (text: string | undefined): string | undefined =>
  text?.replace(/\/\/[^@]*@/, `//${MASK}@`);

/** Some collectors have a key in their path. */
const originOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : new URL(url).origin;

/** Has an entry for every property, so that no new property reaches the log without a decision to show or mask it. */
const DESCRIBE: { [P in RelayConfigProperty]: (value: RelayConfig[P]) => unknown } = {
  relayConfigFile: shown,
  domainMap: (domains) => domains?.map(({ host }) => host),
  upstream: shown,
  upstreamHost: shown,
  upstreamTlsCaFile: shown,
  upstreamTlsCertFile: shown,
  upstreamTlsKeyFile: shown,
  upstreamTlsServerName: shown,
  clientIdSecret: masked,
  clientIdSecretAlt: masked,
  clientId: shown,
  outboundToken: masked,
  outboundTokenAlt: masked,
  redisUrl: withoutAccount,
  redisPrefix: shown,
  redisCommandTimeoutMs: shown,
  redisTlsCaFile: shown,
  redisTlsCertFile: shown,
  redisTlsKeyFile: shown,
  redisSentinelPassword: masked,
  port: shown,
  host: shown,
  tlsCertFile: shown,
  tlsKeyFile: shown,
  debug: shown,
  logLevel: shown,
  logFormat: shown,
  headers: maskedFields,
  requestHeaders: maskedFields,
  responseHeaders: maskedFields,
  forwardedHeaders: shown,
  rewriteLocation: shown,
  outboundAllowedUpstreams: shown,
  peerProxyUrl: withoutAccount,
  noProxy: shown,
  passThroughRoutes: shown,
  mteRoutes: shown,
  corsOrigins: shown,
  corsMethods: shown,
  relayAudience: shown,
  sessionLifetimeSeconds: shown,
  sessionMaxMessages: shown,
  retryUnsafeMethods: shown,
  tunnelTransport: shown,
  channelsPerPeer: shown,
  maxChannelsPerPeer: shown,
  channelLifetimeSeconds: shown,
  channelBufferBytes: shown,
  upgradeProtocols: shown,
  maxUpgradedConnections: shown,
  maxConcurrentRequests: shown,
  maxPassThroughRequests: shown,
  maxPairingsPerMinute: shown,
  connectTimeoutMs: shown,
  responseTimeoutMs: shown,
  idleTimeoutMs: shown,
  shutdownTimeoutMs: shown,
  shutdownDelayMs: shown,
  adminPort: shown,
  adminHost: shown,
  adminToken: masked,
  adminAllowedHosts: shown,
  otlpEndpoint: originOf,
  otlpTracesEndpoint: originOf,
  otlpHeaders: maskedFields,
  otlpTracesHeaders: maskedFields,
  otlpProtocol: shown,
  otlpTracesProtocol: shown,
  otlpTimeoutMs: shown,
  otelSdkDisabled: shown,
  otelTracesExporter: shown,
  otelTracesSampler: shown,
  otelTracesRatio: shown,
  otelMaxQueueSize: shown,
  otelMaxBatchSize: shown,
  otelScheduleDelayMs: shown,
  otelExportTimeoutMs: shown,
  otelServiceName: shown,
  otelResourceAttributes: shown,
  workers: shown,
  nodeEnv: shown,
};

/**
 * Returns the configuration as the start-up log may show it: one entry per property, null if it is unset. Secrets,
 * tokens, header values and the credentials of Redis and of the proxy are masked. The caller owns the object, but its lists are those of
 * the configuration and are frozen.
 */
export function describeConfig(config: RelayConfig): Record<RelayConfigProperty, unknown> {
  const entries = Object.entries(DESCRIBE).map(([property, describe]) => {
    const value = config[property as RelayConfigProperty];
    return [property, (describe as (value: unknown) => unknown)(value) ?? null];
  });
  return Object.fromEntries(entries) as Record<RelayConfigProperty, unknown>;
}
