/** The paths of the PEM files of a Redis that serves TLS. */
export interface RedisTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** The settings for these files, as on the command line; clients need no certificate. */
export function tlsArgs({ cert, key, ca }: RedisTls): string[] {
  return [
    ...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca],
    ...['--tls-auth-clients', 'no'],
  ];
}
