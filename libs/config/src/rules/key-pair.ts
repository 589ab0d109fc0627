import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Refused, refuseUnless } from './rule.js';

/** A certificate and its key: the properties that name their files, and the variables behind them. */
interface KeyPairNames {
  readonly certificate: readonly [property: string, variable: string];
  readonly key: readonly [property: string, variable: string];
}

/** What the relay shows to Redis. */
export const REDIS_PAIR: KeyPairNames = {
  certificate: ['redisTlsCertFile', 'REDIS_TLS_CERT_FILE'],
  key: ['redisTlsKeyFile', 'REDIS_TLS_KEY_FILE'],
};

/** What the relay shows to those who connect to it. */
export const LISTENER_PAIR: KeyPairNames = {
  certificate: ['tlsCertFile', 'TLS_CERT_FILE'],
  key: ['tlsKeyFile', 'TLS_KEY_FILE'],
};

/** The path of a file that can be read and holds the given PEM block; the path stays as it is. */
export function pemFile(label: 'CERTIFICATE' | 'PRIVATE KEY') {
  const block = new RegExp(`^-----BEGIN ([A-Z]+ )?${label}-----`, 'm');
  return (path: string): string | Refused => {
    try {
      if (block.test(readFileSync(path, 'latin1'))) {
        return path;
      }
    } catch {
      // Which error it was would say more about the machine than the operator needs.
      return new Refused('must name a file that can be read');
    }
    return new Refused(`must name a PEM file with a ${label} block`);
  };
}

/**
 * Whether a certificate and a key, as PEM, can be used together.
 *
 * @throws whatever OpenSSL says where they cannot
 */
export function tryKeyPair({ cert, key }: { readonly cert: Buffer; readonly key: Buffer }): void {
  createSecureContext({ cert, key });
  // A context takes a key of another kind, such as RSA beside an ECDSA certificate, and then fails every handshake.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the key is not that of the certificate');
  }
}

/** A certificate is nothing without its key. */
export function NeedsKey({ key: [property, variable] }: KeyPairNames): PropertyDecorator {
  return refuseUnless(
    'needsKey',
    `needs ${variable}`,
    (properties) => properties[property] !== undefined,
  );
}

/** The key must be that of the certificate, and usable without a passphrase. */
export function KeyOfCertificate({ certificate, key }: KeyPairNames): PropertyDecorator {
  return refuseUnless(
    'keyOfCertificate',
    `must be the key of ${certificate[1]}, without a passphrase`,
    (properties) => {
      const [certFile, keyFile] = [properties[certificate[0]], properties[key[0]]];
      if (typeof certFile !== 'string' || typeof keyFile !== 'string') {
        // A file that was refused has its own line.
        return certFile !== undefined;
      }
      try {
        tryKeyPair({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
        return true;
      } catch {
        // Whatever OpenSSL says of the two, they cannot be used together.
        return false;
      }
    },
  );
}
