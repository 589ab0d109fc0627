import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  certificateAt,
  makeAuthority,
  type Authority,
} from '../support/certificates/certificates.js';
import { errorOf, request, streamRequest } from '../support/clients/client.js';
import { mountCertificate } from '../support/certificates/mounted-certificate.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import {
  runHealthCheck,
  startRelayProcess,
  type RelayProcess,
} from '../support/processes/relay-process.js';
import { TOKEN, startRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';

const LOOPBACK = 'IP:127.0.0.1';

const shared = sharedResources();
let authority: Authority;
let ca: string;

/** An outbound relay that trusts the authority. */
let trusting: RelayProcess;

beforeAll(async () => {
  authority = shared(makeAuthority());
  ca = readFileSync(authority.ca, 'utf8');
  trusting = shared(await startRelayProcess({ NODE_EXTRA_CA_CERTS: authority.ca }));
});

/** The common name of the certificate that a relay shows to new connections. */
function shownBy({ port }: RelayProcess): Promise<string> {
  return certificateAt(port, ca);
}

/** The error that ends a TLS 1.1 handshake. */
function refusalOfTls11({ port }: RelayProcess): Promise<string | undefined> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  return new Promise((resolve) => {
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve('none');
    });
    socket.once('error', (error: Error & { readonly code?: string }) => {
      resolve(error.code);
    });
  });
}

/** Two relays that serve only HTTPS, with the same certificate. */
function secureTunnel(cert: string, key: string): Promise<ProcessTunnel> {
  return startProcessTunnel(undefined, {
    TLS_CERT_FILE: cert,
    TLS_KEY_FILE: key,
    NODE_EXTRA_CA_CERTS: authority.ca,
  });
}

describe('two relays that serve HTTPS', () => {
  it('tunnel a request, and pass their health checks', async () => {
    const { cert, key } = authority.issue('both', LOOPBACK);
    const tunnel = forThisTest(await secureTunnel(cert, key));
    expect([tunnel.outbound.url, tunnel.inbound.url]).toEqual([
      `https://127.0.0.1:${tunnel.outbound.port}`,
      `https://127.0.0.1:${tunnel.inbound.port}`,
    ]);

    const response = await tunnel.send({ method: 'POST', path: '/echo', body: 'sealed twice', ca });

    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('sealed twice');
    const environment = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
    const port = String(tunnel.outbound.port);
    expect(await runHealthCheck({ ...environment, PORT: port })).toBe(0);
    expect(await runHealthCheck({ PORT: port })).toBe(1);
  });

  it('start using a new certificate without interrupting an open connection', async () => {
    const mount = forThisTest(mountCertificate(authority.issue('old', LOOPBACK)));
    const tunnel = forThisTest(await secureTunnel(mount.cert, mount.key));
    const { upstream, inbound, outbound } = tunnel;
    let sendSecond: () => void = () => undefined;
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      sendSecond = () => response.end('data: 2\n\n');
    });
    const headers = tunnel.clientHeaders;
    const stream = await streamRequest(outbound.url, { headers, ca });
    await stream.until('data: 1');

    mount.swap(authority.issue('new', LOOPBACK));
    const lines = await Promise.all(
      [inbound, outbound].map(({ log }) =>
        log.find(({ msg }) => msg === 'a new certificate is in use'),
      ),
    );

    expect(lines).toMatchObject([
      { level: 30, certificate: { names: 'IP Address:127.0.0.1' } },
      { level: 30, certificate: { names: 'IP Address:127.0.0.1' } },
    ]);
    expect(await Promise.all([shownBy(inbound), shownBy(outbound)])).toEqual(['new', 'new']);
    sendSecond();
    await stream.until('data: 2');
    expect(await stream.ended).toBe('complete');
  });

  it('keep their certificate if its replacement is unusable, log that once, and never accept TLS 1.1', async () => {
    const old = authority.issue('kept', LOOPBACK);
    const mount = forThisTest(mountCertificate(old));
    const relay = forThisTest(
      await startRelayProcess({
        TLS_CERT_FILE: mount.cert,
        TLS_KEY_FILE: mount.key,
        NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0',
      }),
    );
    // Another key type: OpenSSL itself then finds nothing wrong with half of each pair.
    const other = authority.issue('other', LOOPBACK, 'rsa');
    // Not even if Node.js is set to accept it: the relay sets its own minimum version.
    expect(await refusalOfTls11(relay)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const refusals = () => relay.log.items.filter(({ level }) => level === 50);

    mount.swap({ cert: other.cert, key: old.key });
    await relay.log.find(({ level }) => level === 50);
    expect(await shownBy(relay)).toBe('kept');

    // Now the matching pair: the refusal before was the only one.
    mount.swap(other);
    await relay.log.find(({ msg }) => msg === 'a new certificate is in use');
    expect(await shownBy(relay)).toBe('other');
    expect(await refusalOfTls11(relay)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(refusals()).toMatchObject([
      {
        msg: 'the new certificate cannot be used: the previous one stays in use',
        error: { message: 'the private key does not match the certificate' },
      },
    ]);
  });
});

describe('a relay whose certificate cannot be verified', () => {
  it.each([
    ['from an unknown authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['for another host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('gets no request if the certificate is %s', async (why, reason) => {
    const isStranger = why === 'from an unknown authority';
    const issuer = isStranger ? forThisTest(makeAuthority()) : authority;
    const { cert, key } = issuer.issue('wrong', isStranger ? LOOPBACK : 'DNS:elsewhere.example');
    const inbound = forThisTest(await startRelay({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }));

    const response = await request(trusting.url, {
      method: 'POST',
      body: 'secret',
      headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url },
    });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    const line = await trusting.log.find(({ peer }) => peer === inbound.url);
    expect(line).toMatchObject({ msg: 'pairing failed', code: 'RELAY_PEER_UNREACHABLE' });
    expect(JSON.stringify(line['error'])).toContain(reason);
    expect(inbound.log.items.filter(({ role }) => role !== undefined)).toEqual([]);
  });
});
