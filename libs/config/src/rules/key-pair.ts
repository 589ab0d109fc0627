import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { cannotBeRead } from '../unreadable-file.js';
import { Refused, refuseUnless } from './rule.js';

/** A certificate and its key: the properties that name their files, and the variables behind them. */
interface KeyPairNames {
  readonly certificate: readonly [property: string, variable: string];
  readonly key: readonly [property: string, variable: string];
}

/** The certificate that the relay presents to Redis. */
export const REDIS_PAIR: KeyPairNames = {
  certificate: ['redisTlsCertFile', 'REDIS_TLS_CERT_FILE'],
  key: ['redisTlsKeyFile', 'REDIS_TLS_KEY_FILE'],
};

/** The certificate that the relay presents to the API. */
export const UPSTREAM_PAIR: KeyPairNames = {
  certificate: ['upstreamTlsCertFile', 'UPSTREAM_TLS_CERT_FILE'],
  key: ['upstreamTlsKeyFile', 'UPSTREAM_TLS_KEY_FILE'],
};

/** The certificate that the relay's listener presents. */
export const LISTENER_PAIR: KeyPairNames = {
  certificate: ['tlsCertFile', 'TLS_CERT_FILE'],
  key: ['tlsKeyFile', 'TLS_KEY_FILE'],
};

/** Returns a rule for the path of a readable file that contains the given PEM block. The value stays the path. */
export function pemFile(label: 'CERTIFICATE' | 'PRIVATE KEY') {
  const block = new RegExp(`^-----BEGIN ([A-Z]+ )?${label}-----`, 'm');
  return (path: string): string | Refused => {
    try {
      if (block.test(readFileSync(path, 'latin1'))) {
        return path;
      }
    } catch (error) {
      return new Refused(cannotBeRead(error));
    }
    return new Refused(`must name a PEM file with a ${label} block`);
  };
}

/**
 * Returns if a certificate and a private key can be used together. Both are PEM; the buffers are only read.
 *
 * @throws Error if they cannot: that of OpenSSL, or one that names the mismatch
 */
export function tryKeyPair({ cert, key }: { readonly cert: Buffer; readonly key: Buffer }): void {
  createSecureContext({ cert, key });
  // A context accepts a key of another type, for example RSA with an ECDSA certificate, and then fails every handshake.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the private key does not match the certificate');
  }
}

/** Refuses a certificate without its key. */
export function NeedsKey({ key: [property, variable] }: KeyPairNames): PropertyDecorator {
  return refuseUnless(
    'needsKey',
    `needs ${variable}`,
    (properties) => properties[property] !== undefined,
  );
}

/** Refuses a key that is not that of the certificate, or that needs a passphrase. */
export function KeyOfCertificate({ certificate, key }: KeyPairNames): PropertyDecorator {
  return refuseUnless(
    'keyOfCertificate',
    `must be the key of ${certificate[1]}, without a passphrase`,
    (properties) => {
      const [certFile, keyFile] = [properties[certificate[0]], properties[key[0]]];
      if (typeof certFile !== 'string' || typeof keyFile !== 'string') {
        // A certificate file that was refused has its own line.
        return certFile !== undefined;
      }
      try {
        tryKeyPair({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
        return true;
      } catch {
        // Whatever the reason, the two cannot be used together.
        return false;
      }
    },
  );
}
