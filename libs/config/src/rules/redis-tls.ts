import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ValidateBy } from 'class-validator';
import { Refused } from './rule.js';

interface RedisVariables {
  readonly redisUrl: unknown;
  readonly redisTlsCertFile?: unknown;
  readonly redisTlsKeyFile?: unknown;
}

/** The path of a file that can be read and holds the given PEM block; the path stays as it is. */
export function pemFile(label: 'CERTIFICATE' | 'PRIVATE KEY') {
  const block = new RegExp(`^-----BEGIN ([A-Z]+ )?${label}-----`, 'm');
  return (path: string): string | Refused => {
    try {
      if (block.test(readFileSync(path, 'latin1'))) return path;
    } catch {
      // Which error it was would say more about the machine than the operator needs.
      return new Refused('must name a file that can be read');
    }
    return new Refused(`must name a PEM file with a ${label} block`);
  };
}

const refuseUnless = (
  name: string,
  message: string,
  isFine: (variables: RedisVariables) => boolean,
): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value, args) => value === undefined || isFine(args?.object as RedisVariables),
      defaultMessage: () => message,
    },
  });

/** Refuses a TLS setting that would be without effect: the connection would be in clear. */
export function NeedsTls(): PropertyDecorator {
  return refuseUnless('needsTls', 'needs a REDIS_URL that begins with rediss', ({ redisUrl }) =>
    String(redisUrl).startsWith('rediss'),
  );
}

/** Refuses what only sentinels take where there are none. */
export function NeedsSentinels(): PropertyDecorator {
  return refuseUnless('needsSentinels', 'needs a redis+sentinel:// REDIS_URL', ({ redisUrl }) =>
    /^rediss?\+sentinel:/.test(String(redisUrl)),
  );
}

/** A client's certificate is nothing without its key. */
export function NeedsKey(): PropertyDecorator {
  return refuseUnless(
    'needsKey',
    'needs REDIS_TLS_KEY_FILE',
    ({ redisTlsKeyFile }) => redisTlsKeyFile !== undefined,
  );
}

/** The key must be that of the certificate, and usable without a passphrase. */
export function KeyOfCertificate(): PropertyDecorator {
  return refuseUnless(
    'keyOfCertificate',
    'must be the key of REDIS_TLS_CERT_FILE, without a passphrase',
    ({ redisTlsCertFile, redisTlsKeyFile }) => {
      if (typeof redisTlsCertFile !== 'string' || typeof redisTlsKeyFile !== 'string') {
        // A file that was refused has its own line.
        return redisTlsCertFile !== undefined;
      }
      try {
        createSecureContext({
          cert: readFileSync(redisTlsCertFile),
          key: readFileSync(redisTlsKeyFile),
        });
        return true;
      } catch {
        // Whatever OpenSSL says of the two, they cannot be used together.
        return false;
      }
    },
  );
}
