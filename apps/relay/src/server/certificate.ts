import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';

import type { RelayConfig } from '@relay/config';

/** What the listener shows of itself, as PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The files of a certificate and of its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** @returns undefined where the listener speaks plain HTTP */
export function certificateFiles(config: RelayConfig): CertificateFiles | undefined {
  const { tlsCertFile, tlsKeyFile } = config;
  return tlsCertFile === undefined || tlsKeyFile === undefined
    ? undefined
    : { certFile: tlsCertFile, keyFile: tlsKeyFile };
}

/** The certificate that the configuration names, or undefined where it names none. @throws where a file is gone since */
export function readCertificate(config: RelayConfig): Certificate | undefined {
  const files = certificateFiles(config);
  return files === undefined
    ? undefined
    : { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
}

/** The same, while others are being served. */
export async function readCertificateAgain(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)]);
  return { cert, key };
}

/** How connections are secured; the lowest version is said here, as an option of Node.js could lower it. */
export function secureContextOptions({ cert, key }: Certificate): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** What a certificate says of itself. */
export interface CertificateFacts {
  readonly names: string;
  readonly issuer: string;
  /** Unix time in milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Of the first certificate of the file, which is the relay's own. */
export function certificateFacts({ cert }: Certificate): CertificateFacts {
  const { subjectAltName = '', issuer, validFrom, validTo } = new X509Certificate(cert);
  return {
    names: subjectAltName,
    issuer: issuer.replaceAll('\n', ', '),
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
  };
}
