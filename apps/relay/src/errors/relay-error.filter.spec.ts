import { beforeEach, describe, expect, it } from 'vitest';

import { ERRORS, RelayError, clientOutcome, relayOutcome, type ErrorCode } from '@relay/errors';
import { verifyError } from '@relay/signature';

import { request, type ClientResponse } from '../../../../test/support/clients/client.js';
import { OverloadedError } from '../inbound/inbound.errors.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import { startFailingApp, type FailingApp } from '../../../../test/support/relays/failing-app.js';
import { openSocket } from '../../../../test/support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../../../../test/support/lifecycle/resources.js';

const CANARY = 'canary-of-the-tests';

class CodedError extends RelayError {
  constructor(
    readonly code: ErrorCode,
    options?: ErrorOptions,
  ) {
    super('what is wrong', options);
  }
}

const coded = (code: ErrorCode, options?: ErrorOptions): RelayError =>
  new CodedError(code, options);

const codes = Object.keys(ERRORS) as ErrorCode[];
const clientCodes = codes.filter((code) => 'client' in ERRORS[code]);
const relayCodes = codes.filter((code) => 'relay' in ERRORS[code]);

const shared = sharedResources();
const app: FailingApp = shared(await startFailingApp());

beforeEach(() => {
  app.log.items.length = 0;
});

const REQUEST_ID = 'request-1';

/** What a client receives if its request ends with this error. */
function clientResponse(error: unknown, method = 'POST'): Promise<ClientResponse> {
  app.failWith(error);
  return request(app.url, {
    method,
    headers: { 'x-mte-outbound-token': 'token', 'x-request-id': REQUEST_ID },
  });
}

describe('an error to a client', () => {
  it.each(clientCodes)('has the status and the verdict of its code: %s', async (code) => {
    const { status, forwarded: verdict } = clientOutcome(code);
    const forwarded = verdict === 'varies' ? 'maybe' : verdict;
    const response = await clientResponse(coded(code));
    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(JSON.parse(response.body.toString())).toEqual({
      error: { code, message: 'what is wrong', forwarded, requestId: REQUEST_ID },
    });
    expect(response.headers['x-mte-relay']).toBeUndefined();
    expect(response.headers['retry-after']).toBeUndefined();
  });

  it.each([
    ['no', 'a code that always has it', 'RELAY_TOKEN_INVALID', 'no'],
    [
      'maybe',
      'a code whose verdict varies, because nobody has proved more',
      'RELAY_BUSY',
      'varies',
    ],
    ['maybe', 'a code that is not reported', 'RELAY_RECORD_MALFORMED', 'maybe'],
  ] as const)(
    'without a verdict of its own has "%s" for %s',
    async (forwarded, _what, code, byCode) => {
      expect(clientOutcome(code).forwarded).toBe(byCode);
      const response = await clientResponse(coded(code));
      expect(JSON.parse(response.body.toString())).toMatchObject({ error: { code, forwarded } });
    },
  );

  it('contains the verdict of the error itself and the time after which to retry', async () => {
    const response = await clientResponse(
      new TunnelFailedError('RELAY_PEER_TIMEOUT', 'maybe', 'no response', { retryAfter: 7 }),
    );
    expect(JSON.parse(response.body.toString())).toMatchObject({ error: { forwarded: 'maybe' } });
    expect(response.headers['retry-after']).toBe('7');
  });

  it('has no body if the method is HEAD', async () => {
    const response = await clientResponse(coded('RELAY_HEAD_INVALID'), 'HEAD');
    expect(response.status).toBe(400);
    expect(response.body).toHaveLength(0);
    expect(Number(response.headers['content-length'])).toBeGreaterThan(0);
  });

  it('reveals nothing if the relay itself is at fault', async () => {
    const mistake = Object.assign(new TypeError(CANARY), { data: CANARY });
    for (const error of [mistake, CANARY, { code: 'RELAY_TOKEN_INVALID', message: CANARY }]) {
      const response = await clientResponse(error);
      expect(response.status).toBe(500);
      expect(JSON.parse(response.body.toString())).toMatchObject({
        error: { code: 'RELAY_INTERNAL', forwarded: 'maybe', requestId: REQUEST_ID },
      });
      expect(response.body.toString() + JSON.stringify(response.headers)).not.toContain(CANARY);
    }
  });

  it('reveals nothing of its cause', async () => {
    const cause = Object.assign(new Error(CANARY), { config: { headers: CANARY } });
    const response = await clientResponse(coded('RELAY_PEER_UNREACHABLE', { cause }));
    expect(response.body.toString() + JSON.stringify(response.headers)).not.toContain(CANARY);
  });

  it('is one line in the log, with its code and the id of its request', async () => {
    await clientResponse(coded('RELAY_PEER_UNREACHABLE'));
    await clientResponse(coded('RELAY_HEAD_INVALID'));
    const [failure, refusal, ...others] = await app.log.count(2);
    expect(failure).toMatchObject({
      level: 50,
      requestId: REQUEST_ID,
      role: 'outbound',
      status: 502,
      code: 'RELAY_PEER_UNREACHABLE',
    });
    expect(refusal).toMatchObject({ level: 40, status: 400, code: 'RELAY_HEAD_INVALID' });
    expect(others).toEqual([]);
  });

  it('never has a status that relays use among themselves', async () => {
    const response = await clientResponse(coded('RELAY_PAIR_MALFORMED'));
    expect(response.status).toBe(500);
  });
});

describe('an error to a relay', () => {
  it.each(relayCodes)(
    'is a status with an empty body, signed unless it claims nothing: %s',
    async (code) => {
      const { status, verdict } = relayOutcome(code)!;
      for (const purpose of ['tunnel', 'pair'] as const) {
        app.failWith(coded(code));
        const { response, clientIdHeader } = await app.sendSigned(purpose);
        expect(response.status).toBe(status);
        expect(response.body).toHaveLength(0);
        expect(response.headers['content-type']).toBeUndefined();
        expect(response.headers['cache-control']).toBe('no-store, no-transform');
        const relayHeader = response.headers['x-mte-relay'];
        if (verdict === 'unsigned') {
          expect(relayHeader).toBeUndefined();
        } else {
          expect(
            verifyError(app.secretKeys, clientIdHeader, relayHeader as string, status),
          ).toEqual({
            status,
            // About a message, the code alone proves nothing.
            isNeverForwarded: verdict === 'p=0' && purpose === 'pair',
            unixMs: app.clock.nowMs(),
          });
        }
      }
    },
  );

  it('about a message that this relay has consumed is signed with its proof, which another session lacks', async () => {
    const [proof, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    app.failWith(new OverloadedError('busy', proof));
    const { response, clientIdHeader } = await app.sendSigned('tunnel');
    const verify = (given?: Buffer) =>
      verifyError(
        app.secretKeys,
        clientIdHeader,
        response.headers['x-mte-relay'] as string,
        response.status,
        given,
      );
    expect(verify(proof)).toMatchObject({ status: 564, isNeverForwarded: true });
    expect(verify(other)).toBeUndefined();
    expect(verify()).toBeUndefined();
  });

  it('is not signed if the sender was not verified', async () => {
    const { response } = await app.sendSigned('tunnel', { 'x-mte-client-id': 'a.b.c' });
    expect(response.status).toBe(566);
    expect(response.headers['x-mte-relay']).toBeUndefined();
    expect(response.body).toHaveLength(0);
  });

  it('is logged with the name that the message has in the log of the peer', async () => {
    app.failWith(coded('RELAY_SESSION_UNKNOWN'));
    await app.sendSigned('tunnel');
    const [line] = await app.log.count(1);
    expect(line).toMatchObject({
      level: 40,
      role: 'inbound',
      status: 560,
      code: 'RELAY_SESSION_UNKNOWN',
      exchange: 'E2uOwaOy-7',
    });
  });
});

describe('an error after the response has begun', () => {
  it('resets the connection', async () => {
    const socket = forThisTest(openSocket(app.port));
    const isRead = socket.until('part of a response');
    app.failAfter('part of a response', isRead, coded('RELAY_PEER_CONNECTION_LOST'));
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-mte-outbound-token: t\r\n\r\n');
    expect(await socket.ended).toBe('reset');
    expect(socket.received.toString()).not.toContain('RELAY_');
    const [line] = await app.log.count(1);
    expect(line).toMatchObject({ level: 40, msg: 'response cut off' });
  });
});
