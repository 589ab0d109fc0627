import type { RelayConfig, TenantEntry } from '@relay/config';

/** What concerns one upstream: the entry of its tenant, and the options that all tenants of this process share. */
export interface UpstreamSettings
  extends
    TenantEntry,
    Pick<
      RelayConfig,
      | 'forwardedHeaders'
      | 'rewriteLocation'
      | 'connectTimeoutMs'
      | 'responseTimeoutMs'
      | 'idleTimeoutMs'
    > {
  /** The origin of the upstream, for example `http://localhost:3000`. */
  readonly upstreamOrigin: string;
  /** The prefix of every path at the upstream: empty, or for example `/base`, without a trailing slash. */
  readonly upstreamBasePath: string;
  /** `headers` and `responseHeaders`: what is set on a response to a peer. */
  readonly tunnelResponseHeaders: TenantEntry['headers'];
}

/** The settings of a tenant's upstream. */
export function upstreamSettings(entry: TenantEntry, config: RelayConfig): UpstreamSettings {
  const { upstream } = entry;
  const start = pathStart(upstream);
  const { forwardedHeaders, rewriteLocation, connectTimeoutMs, responseTimeoutMs, idleTimeoutMs } =
    config;
  return {
    ...entry,
    ...{ forwardedHeaders, rewriteLocation, connectTimeoutMs, responseTimeoutMs, idleTimeoutMs },
    upstreamOrigin: upstream.slice(0, start),
    upstreamBasePath: upstream.slice(start),
    tunnelResponseHeaders: [...entry.headers, ...entry.responseHeaders],
  };
}

function pathStart(url: string): number {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash === -1 ? url.length : slash;
}
