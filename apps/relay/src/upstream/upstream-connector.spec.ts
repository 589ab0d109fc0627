import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

import type { UpstreamTls } from '@relay/config';
import { Pool } from 'undici';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  makeAuthority,
  type Authority,
  type KeyPair,
} from '../../../../test/support/certificates/certificates.js';
import { mountCertificate } from '../../../../test/support/certificates/mounted-certificate.js';
import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../../../test/support/lifecycle/resources.js';
import { listen } from '../../../../test/support/network/listen.js';
import type { LogLine } from '../../../../test/support/relays/relay.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { UpstreamConnector } from './upstream-connector.js';

const IN_USE = 'new TLS files for the API are in use';
const PREVIOUS_IN_USE = 'new TLS files for the API are unusable: the previous ones stay';
const NOT_CALLED = 'TLS files for the API are unusable: it is not called';

const shared = sharedResources();
let authority: Authority;
let stranger: Authority;
let billing: KeyPair;
let shop: KeyPair;

beforeAll(() => {
  authority = shared(makeAuthority());
  stranger = shared(makeAuthority());
  billing = authority.issue('billing', 'DNS:billing');
  shop = authority.issue('shop', 'DNS:shop');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

interface ApiOptions {
  readonly issuer?: Authority;
  readonly subject?: string;
  /** Whether it refuses whoever has no certificate. */
  readonly isStrict?: boolean;
}

/** An API that responds with the name in the certificate of the relay, and with the one in the handshake. */
async function startApi({
  issuer = authority,
  subject = 'DNS:localhost',
  isStrict = false,
}: ApiOptions = {}): Promise<string> {
  const { cert, key } = issuer.issue('api', subject);
  const server = createServer(
    {
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: readFileSync(authority.ca),
      requestCert: true,
      rejectUnauthorized: isStrict,
    },
    ({ socket }, response) => {
      const secure = socket as TLSSocket & { readonly servername: unknown };
      // If the connection resumes a session, this is the certificate of that session.
      const caller = secure.getPeerCertificate().subject as { readonly CN?: string } | undefined;
      response.end(`${caller?.CN ?? 'nobody'} asks ${String(secure.servername)}`);
    },
  );
  const { port } = forThisTest(await listen(server));
  return `https://localhost:${port}`;
}

interface Caller {
  readonly log: Recorder<LogLine>;
  /** @returns the body of the response, or the codes of the error and of its causes */
  call(url: string): Promise<string>;
}

function callerWith(tls: UpstreamTls): Caller {
  const log = new Recorder<LogLine>();
  const write = (line: string): void => {
    log.add(JSON.parse(line) as LogLine);
  };
  const relayLog = new RelayLog('debug', { write });
  const connector = new UpstreamConnector('https://api', tls, 10_000, relayLog);
  forThisTest({
    close: () => {
      connector.close();
      return Promise.resolve();
    },
  });
  return {
    log,
    call: async (url) => {
      const pool = new Pool(url, { connect: connector.connect });
      try {
        const { body } = await pool.request({ path: '/', method: 'GET' });
        return await body.text();
      } catch (error) {
        return codesOf(error).join(', ');
      } finally {
        await pool.destroy();
      }
    },
  };
}

function codesOf(error: unknown): string[] {
  const { code, cause } = error as { readonly code?: string; readonly cause?: unknown };
  return [code ?? 'no code', ...(cause === undefined ? [] : codesOf(cause))];
}

const presenting = ({ cert, key }: KeyPair): UpstreamTls => ({
  caFile: authority.ca,
  certFile: cert,
  keyFile: key,
});

describe('a connection to an API (#105)', () => {
  it('presents the certificate of this relay, if it has one', async () => {
    const url = await startApi();
    expect(await callerWith(presenting(billing)).call(url)).toBe('billing asks localhost');
    expect(await callerWith({ caFile: authority.ca }).call(url)).toBe('nobody asks localhost');
  });

  it('is not made if the API cannot be verified', async () => {
    const url = await startApi({ issuer: stranger });
    const unknown = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    expect(await callerWith({ caFile: authority.ca }).call(url)).toBe(unknown);
    // Those of Node.js count beside a certificate alone.
    expect(await callerWith({ ...presenting(billing), caFile: undefined }).call(url)).toBe(unknown);
    expect(await callerWith({ caFile: stranger.ca }).call(url)).toBe('nobody asks localhost');
  });

  it('is made to the name that is configured, and to no other', async () => {
    const url = await startApi({ subject: 'DNS:api.internal' });
    const mismatch = 'ERR_TLS_CERT_ALTNAME_INVALID';
    const caFile = authority.ca;
    expect(await callerWith({ caFile, serverName: 'api.internal' }).call(url)).toBe(
      'nobody asks api.internal',
    );
    expect(await callerWith({ caFile }).call(url)).toBe(mismatch);
    expect(await callerWith({ caFile, serverName: 'localhost' }).call(url)).toBe(mismatch);
  });

  it('is verified even where Node.js was told to verify nothing', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const url = await startApi({ issuer: stranger });
    expect(await callerWith({ caFile: authority.ca }).call(url)).toMatch(/^UNABLE_TO_VERIFY/);
  });

  it('says why it was closed if the API wants a certificate and gets none', async () => {
    const url = await startApi({ isStrict: true });
    expect(await callerWith({ caFile: authority.ca }).call(url)).toBe(
      'UND_ERR_SOCKET, ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    );
    expect(await callerWith(presenting(billing)).call(url)).toBe('billing asks localhost');
  });
});

describe('changed TLS files (#105)', () => {
  it('are used for new connections, which resume no session of before', async () => {
    const mount = forThisTest(mountCertificate(billing));
    const url = await startApi();
    const caller = callerWith(presenting(mount));
    expect(await caller.call(url)).toBe('billing asks localhost');

    mount.swap(shop);
    const line = await caller.log.find(({ msg }) => msg === IN_USE);

    expect(line).toMatchObject({ address: 'https://api', certificate: { names: 'DNS:shop' } });
    expect(await caller.call(url)).toBe('shop asks localhost');
  });

  it('decide which authorities are believed', async () => {
    const caFile = join(authority.dir, 'changing.crt');
    copyFileSync(authority.ca, caFile);
    const [own, foreign] = [await startApi(), await startApi({ issuer: stranger })];
    const caller = callerWith({ caFile });
    expect(await caller.call(own)).toBe('nobody asks localhost');

    copyFileSync(stranger.ca, caFile);
    await caller.log.find(({ msg }) => msg === IN_USE);

    expect(await caller.call(own)).toMatch(/^(?:SELF_SIGNED_CERT|UNABLE_TO_VERIFY)/);
    expect(await caller.call(foreign)).toBe('nobody asks localhost');
  });

  it.each([
    ['a key of another certificate', () => ({ cert: billing.cert, key: shop.key })],
    ['a broken certificate', () => ({ cert: broken('certificate.crt'), key: shop.key })],
  ])('that cannot be used change nothing: %s', async (_what, pair) => {
    const mount = forThisTest(mountCertificate(billing));
    const url = await startApi();
    const caller = callerWith(presenting(mount));

    mount.swap(pair());
    const line = await caller.log.find(({ level }) => level === 50);

    expect(line).toMatchObject({ msg: PREVIOUS_IN_USE, address: 'https://api' });
    expect(await caller.call(url)).toBe('billing asks localhost');
    mount.swap(shop);
    await caller.log.find(({ msg }) => msg === IN_USE);
    expect(caller.log.items.filter(({ level }) => level === 50)).toHaveLength(1);
  });

  it.each([
    ['no certificate at all', ''],
    ['a broken certificate behind a good one', 'good'],
  ])('with %s are not taken for authorities', async (_what, before) => {
    const caFile = join(authority.dir, 'authorities.crt');
    copyFileSync(authority.ca, caFile);
    const url = await startApi();
    const caller = callerWith({ caFile });

    const good = before === 'good' ? readFileSync(authority.ca, 'utf8') : '';
    writeFileSync(caFile, good === '' ? 'none' : good + BROKEN);
    await caller.log.find(({ msg }) => msg === PREVIOUS_IN_USE);

    expect(await caller.call(url)).toBe('nobody asks localhost');
  });

  it('that cannot be used from the beginning make no connection, until they can', async () => {
    const caFile = join(authority.dir, 'late.crt');
    const url = await startApi();
    const caller = callerWith({ caFile });
    expect(caller.log.items).toMatchObject([{ msg: NOT_CALLED, error: { code: 'ENOENT' } }]);
    expect(await caller.call(url)).toBe('no code, ENOENT');

    copyFileSync(authority.ca, caFile);
    await caller.log.find(({ msg }) => msg === IN_USE);

    expect(await caller.call(url)).toBe('nobody asks localhost');
  });
});

const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function broken(name: string): string {
  const path = join(authority.dir, name);
  writeFileSync(path, BROKEN);
  return path;
}
