import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

/** A certificate and its key, as paths of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority for one test run. */
export interface Authority {
  readonly dir: string;
  /** The path of the authority's own certificate. */
  readonly ca: string;
  /**
   * @param altName - the subject alternative name, such as `IP:127.0.0.1` or `DNS:localhost`
   * @param days - how long it is valid; -1: it expired yesterday
   * @param commonName - undefined: the name
   */
  issue(name: string, altName: string, kind?: KeyKind, days?: number, commonName?: string): KeyPair;
  close(): Promise<void>;
}

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: 'pipe' });
};

const NEW_KEYS = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'],
  rsa: ['-newkey', 'rsa:2048', '-noenc'],
};
type KeyKind = keyof typeof NEW_KEYS;

/** Makes an authority with `openssl`, in a temporary directory. */
export function makeAuthority(): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'relay-certificates-'));
  const path = (name: string): string => join(dir, name);
  const own = { key: path('ca.key'), cert: path('ca.crt') };
  openssl(
    ...['req', '-x509', ...NEW_KEYS.ecdsa, '-days', '2', '-subj', '/CN=tests'],
    ...['-keyout', own.key, '-out', own.cert],
  );
  return {
    dir,
    ca: own.cert,
    issue: (name, altName, kind = 'ecdsa', days = 2, commonName = name) => {
      const pair = { key: path(`${name}.key`), cert: path(`${name}.crt`) };
      const [request, extensions] = [path(`${name}.csr`), path(`${name}.ext`)];
      writeFileSync(extensions, `subjectAltName=${altName}\n`);
      openssl(
        'req',
        '-new',
        ...NEW_KEYS[kind],
        '-subj',
        `/CN=${commonName}`,
        '-keyout',
        pair.key,
        '-out',
        request,
      );
      openssl(
        ...['x509', '-req', '-in', request, '-days', `${days}`, '-extfile', extensions],
        ...['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial', '-out', pair.cert],
      );
      return pair;
    },
    close: () => {
      rmSync(dir, { recursive: true });
      return Promise.resolve();
    },
  };
}

/** The common name of the certificate that a server on a loopback port presents to new connections. */
export async function certificateAt(port: number, ca: string): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
