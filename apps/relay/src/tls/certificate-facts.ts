import { X509Certificate } from 'node:crypto';

/** The facts about a certificate that are logged and exported as a metric. */
export interface CertificateFacts {
  readonly names: string;
  readonly issuer: string;
  /** Unix time in milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** The facts about the first certificate of a PEM file, which is the relay's own. */
export function certificateFacts(cert: Buffer): CertificateFacts {
  const { subjectAltName = '', issuer, validFrom, validTo } = new X509Certificate(cert);
  return {
    names: subjectAltName,
    issuer: issuer.replaceAll('\n', ', '),
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
  };
}
