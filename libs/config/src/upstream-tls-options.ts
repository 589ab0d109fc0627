import { IsOptional } from 'class-validator';

import { KeyOfCertificate, NeedsKey, pemFile, UPSTREAM_PAIR } from './rules/key-pair.js';
import { FromText } from './rules/rule.js';
import { NeedsHttps, nameInCertificate } from './rules/upstream-tls.js';
import { TransportOptions } from './transport-options.js';

/** TLS towards the API of `UPSTREAM`. Its certificate is verified in any case. */
export abstract class UpstreamTlsOptions extends TransportOptions {
  /** `UPSTREAM_TLS_CA_FILE`: PEM file of the authorities that the API is verified against; if undefined, Node.js's own. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsHttps()
  readonly upstreamTlsCaFile?: string;

  /** `UPSTREAM_TLS_CERT_FILE`: PEM file of the certificate that this relay presents to the API. */
  @IsOptional()
  @FromText(pemFile('CERTIFICATE'))
  @NeedsHttps()
  @NeedsKey(UPSTREAM_PAIR)
  readonly upstreamTlsCertFile?: string;

  /** `UPSTREAM_TLS_KEY_FILE`: PEM file of the private key of that certificate, without a passphrase. */
  @IsOptional()
  @FromText(pemFile('PRIVATE KEY'))
  @NeedsHttps()
  @KeyOfCertificate(UPSTREAM_PAIR)
  readonly upstreamTlsKeyFile?: string;

  /** `UPSTREAM_TLS_SERVER_NAME`: the name that the API's certificate must have; if undefined, the host of its URL. */
  @IsOptional()
  @FromText(nameInCertificate)
  @NeedsHttps()
  readonly upstreamTlsServerName?: string;
}
