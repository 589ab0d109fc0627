import { IsOptional } from 'class-validator';

import { proxyUrl } from './rules/proxy-url.js';
import { FromText } from './rules/rule.js';
import { UpstreamTlsOptions } from './upstream-tls-options.js';

const entriesOf = (text: string): readonly string[] =>
  text.split(/[\s,]+/).filter((entry) => entry !== '');

/** How this relay leaves its network to reach other relays. */
export abstract class ProxyOptions extends UpstreamTlsOptions {
  /** `PEER_PROXY_URL`: http or https URL of the proxy on the way to peers that have none of their own, with its credentials. */
  @IsOptional()
  @FromText(proxyUrl)
  readonly peerProxyUrl?: string;

  /** `NO_PROXY`: hosts to which `PEER_PROXY_URL` does not apply. Other programs read it as well, so no entry is refused. */
  @FromText(entriesOf)
  readonly noProxy: readonly string[] = [];
}
