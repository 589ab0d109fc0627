import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';

import type { RelayConfig } from '@relay/config';

/** The listener's certificate and its private key, in PEM format. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The files of a certificate and its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The configured certificate files. @returns undefined if the listener speaks plain HTTP */
export function certificateFiles(config: RelayConfig): CertificateFiles | undefined {
  const { tlsCertFile, tlsKeyFile } = config;
  return tlsCertFile === undefined || tlsKeyFile === undefined
    ? undefined
    : { certFile: tlsCertFile, keyFile: tlsKeyFile };
}

/** Reads the configured certificate. @returns undefined if none is configured. @throws Error if a file cannot be read */
export function readCertificate(config: RelayConfig): Certificate | undefined {
  const files = certificateFiles(config);
  return files === undefined
    ? undefined
    : { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
}

/** Reads the certificate without blocking, while the relay serves requests. */
export async function readCertificateAgain(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)]);
  return { cert, key };
}

/** The TLS options of connections. The minimum version is set here, because a command-line option of Node.js could lower it. */
export function secureContextOptions({ cert, key }: Certificate): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** The facts about a certificate that are logged and exported as a metric. */
export interface CertificateFacts {
  readonly names: string;
  readonly issuer: string;
  /** Unix time in milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** The facts about the first certificate of the file, which is the relay's own. */
export function certificateFacts({ cert }: Certificate): CertificateFacts {
  const { subjectAltName = '', issuer, validFrom, validTo } = new X509Certificate(cert);
  return {
    names: subjectAltName,
    issuer: issuer.replaceAll('\n', ', '),
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
  };
}
