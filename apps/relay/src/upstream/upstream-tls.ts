import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { tryKeyPair, type UpstreamTls } from '@relay/config';
import type { buildConnector } from 'undici';

const CERTIFICATE =
  /-----BEGIN (?:[A-Z]+ )?CERTIFICATE-----[^-]*(?:-----END (?:[A-Z]+ )?CERTIFICATE-----)?/g;

/** The contents of the files that are set, by what they are. */
export type UpstreamTlsContents = Readonly<Partial<Record<'ca' | 'cert' | 'key', Buffer>>>;

/** The paths of the files that are set, by what they are. */
export function upstreamTlsPaths({
  caFile,
  certFile,
  keyFile,
}: UpstreamTls): Record<string, string> {
  const paths = { ca: caFile, cert: certFile, key: keyFile };
  return Object.fromEntries(
    Object.entries(paths).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * The TLS options of connections to an API. If there are any, its certificate is verified even where Node.js was told to verify none.
 *
 * @throws Error if the contents cannot be used
 */
export function upstreamTlsOptions(
  { serverName }: UpstreamTls,
  { ca, cert, key }: UpstreamTlsContents,
): buildConnector.BuildOptions {
  if (ca !== undefined) {
    checkAuthorities(ca);
  }
  if (cert !== undefined && key !== undefined) {
    tryKeyPair({ cert, key });
  }
  const hasFiles = ca !== undefined || cert !== undefined;
  if (!hasFiles && serverName === undefined) {
    return {};
  }
  return {
    rejectUnauthorized: true,
    ...(serverName === undefined ? {} : { servername: serverName }),
    // Made once, because it would be made again for each connection.
    ...(hasFiles ? { secureContext: createSecureContext({ ca, cert, key }) } : {}),
  };
}

/** Node.js ignores what it cannot read, and then believes no certificate at all. @throws Error */
function checkAuthorities(ca: Buffer): void {
  const blocks = ca.toString('latin1').match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw new Error('the file of authorities contains no certificate');
  }
  for (const block of blocks) {
    new X509Certificate(block);
  }
}
