/** PEM files of a Redis that speaks TLS. */
export interface RedisTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** The settings for them, as on the command line; who connects needs no certificate. */
export function tlsArgs({ cert, key, ca }: RedisTls): string[] {
  return [
    ...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca],
    ...['--tls-auth-clients', 'no'],
  ];
}
