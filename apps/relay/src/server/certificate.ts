import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';

import type { RelayConfig } from '@relay/config';

/** The listener's certificate and its private key, in PEM format. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The files of a certificate and its key. */
interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The configured certificate files. @returns undefined if the listener speaks plain HTTP */
export function certificateFiles(config: RelayConfig): CertificateFiles | undefined {
  const { tlsCertFile, tlsKeyFile } = config;
  return tlsCertFile === undefined || tlsKeyFile === undefined
    ? undefined
    : { cert: tlsCertFile, key: tlsKeyFile };
}

/** Reads the configured certificate. @returns undefined if none is configured. @throws Error if a file cannot be read */
export function readCertificate(config: RelayConfig): Certificate | undefined {
  const files = certificateFiles(config);
  return files === undefined
    ? undefined
    : { cert: readFileSync(files.cert), key: readFileSync(files.key) };
}

/** The TLS options of connections. The minimum version is set here, because a command-line option of Node.js could lower it. */
export function secureContextOptions({ cert, key }: Certificate): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}
