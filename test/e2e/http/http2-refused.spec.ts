import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';

import { beforeAll, describe, expect, it } from 'vitest';

import { makeAuthority, type Authority } from '../../support/certificates/certificates.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { exchangeRaw, openSocket } from '../../support/network/raw-socket.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';

const HTTP_1_1_REQUIRED = 13;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** The octets of an empty SETTINGS frame and of what precedes the reason in a GOAWAY, but for its length. */
const SETTINGS = '000000040000000000';
const GO_AWAY = '070000000000000000000000000d';

const expectRefusal = (received: Buffer): void => {
  const hex = received.toString('hex');
  expect(hex.slice(0, SETTINGS.length)).toBe(SETTINGS);
  expect(hex).toContain(GO_AWAY);
  expect(received.toString('latin1')).toContain('only HTTP/1.1 is supported');
};

const shared = sharedResources();
let relay: TestRelay;
let authority: Authority;

beforeAll(async () => {
  relay = shared(await startRelay());
  authority = shared(makeAuthority());
});

const refusals = (of: TestRelay) =>
  of.log.items.filter(
    ({ msg, code }) => msg === 'request refused' && code === 'RELAY_VERSION_UNSUPPORTED',
  );

/** Closes the session with the test, whatever has become of it. */
function session(url: string, ca?: string): ClientHttp2Session {
  const opened = connectHttp2(url, ca === undefined ? {} : { ca });
  opened.on('error', () => undefined);
  forThisTest({
    close: () => {
      opened.destroy();
      return Promise.resolve();
    },
  });
  return opened;
}

describe('a client that speaks HTTP/2 at once', () => {
  it('is told by a GOAWAY that HTTP/1.1 is required, and the log says so', async () => {
    const client = session(relay.url);
    const goAway = once(client, 'goaway') as Promise<[number, number, Buffer]>;
    client.request({ ':path': '/x' }).on('error', () => undefined);

    const [code, lastStream, reason] = await goAway;

    expect({ code, lastStream }).toEqual({ code: HTTP_1_1_REQUIRED, lastStream: 0 });
    expect(reason.toString()).toContain('gRPC');
    const line = await relay.log.find(({ code: logged }) => logged === 'RELAY_VERSION_UNSUPPORTED');
    expect(line).toMatchObject({ msg: 'request refused', level: 40, status: 505 });
    expect(JSON.stringify(line)).toContain('HTTP/2, and so gRPC, is not');
  });

  it('is told so if its preface arrives octet by octet', async () => {
    const socket = forThisTest(openSocket(relay.port));
    for (const octet of PREFACE) {
      await new Promise((resolve) => socket.socket.write(octet, resolve));
    }

    expectRefusal(await socket.all());
  });

  it('is told so on a connection that has served a request of HTTP/1.1', async () => {
    const socket = forThisTest(openSocket(relay.port));
    socket.write('GET /api/mte-echo/1 HTTP/1.1\r\nhost: a\r\n\r\n');
    await socket.until('Z"}');
    socket.write(PREFACE);

    const all = await socket.all();
    expectRefusal(all.subarray(all.indexOf('Z"}') + 3));
  });

  it('gets an error of HTTP/1.1 if a request of that version is still pending on its connection', async () => {
    const slow = 'POST /x HTTP/1.1\r\nhost: a\r\nx-mte-relay: x\r\n\r\n';
    const text = (await exchangeRaw(relay.port, slow + PREFACE)).toString('latin1');

    expect(text).toMatch(/^HTTP\/1\.1 [45]\d\d /);
    expect(text).not.toContain('\0');
  });

  it('has its connection closed even if it never closes it itself', async () => {
    const received = await exchangeRaw(relay.port, `${PREFACE}${'\0'.repeat(100)}`);

    expectRefusal(received);
  });

  it('is counted, and logged as seldom as other refusals of strangers', async () => {
    const flooded = forThisTest(await startRelay());
    for (let at = 0; at < 120; at += 1) {
      await exchangeRaw(flooded.port, PREFACE);
    }

    expect(refusals(flooded)).toHaveLength(100);
  });
});

describe('a client that offers only HTTP/2 in TLS', () => {
  it('is told so by an alert, and the log says so', async () => {
    const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
    const secure = forThisTest(await startRelay({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }));
    const client = session(secure.url, readFileSync(authority.ca, 'utf8'));

    await expect(once(client, 'connect')).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });

    const line = await secure.log.find(({ code }) => code === 'RELAY_VERSION_UNSUPPORTED');
    expect(line).toMatchObject({ msg: 'request refused', level: 40 });
    expect(JSON.stringify(line)).toContain('HTTP/2, and so gRPC, is not');
  });
});
