import { beforeEach, describe, expect, it } from 'vitest';

import { RelayError } from '@relay/protocol';
import { verifyError } from '@relay/signature';

import { request, type ClientResponse } from '../../../../test/support/client.js';
import { startFailingApp, type FailingApp } from '../../../../test/support/failing-app.js';
import { openSocket } from '../../../../test/support/raw-socket.js';
import { forThisTest, sharedResources } from '../../../../test/support/resources.js';
import { TunnelFailedError } from '../outbound/outbound.errors.js';
import { CLIENT_STATUSES, PEER_ANSWERS } from './error-answers.js';

const CANARY = 'canary-of-the-tests';

class CodedError extends RelayError {
  constructor(
    readonly code: `RELAY_${string}`,
    options?: ErrorOptions,
  ) {
    super('what is wrong', options);
  }
}

const coded = (code: string, options?: ErrorOptions): RelayError =>
  new CodedError(code as `RELAY_${string}`, options);

const shared = sharedResources();
const app: FailingApp = shared(await startFailingApp());

beforeEach(() => {
  app.log.items.length = 0;
});

const REQUEST_ID = 'request-1';

/** What a client gets where its request ends with this error. */
function clientAnswer(error: unknown, method = 'POST'): Promise<ClientResponse> {
  app.failWith(error);
  return request(app.url, {
    method,
    headers: { 'x-mte-outbound-token': 'token', 'x-request-id': REQUEST_ID },
  });
}

describe('an error to a client', () => {
  it.each(Object.entries(CLIENT_STATUSES))(
    '%s is answered with status %i',
    async (code, status) => {
      const answer = await clientAnswer(coded(code));
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
      });
      expect(JSON.parse(answer.body.toString())).toEqual({
        error: { code, message: 'what is wrong', forwarded: 'no', requestId: REQUEST_ID },
      });
      expect(answer.headers['x-mte-relay']).toBeUndefined();
      expect(answer.headers['retry-after']).toBeUndefined();
    },
  );

  it('says whether the request was forwarded, and when to come back', async () => {
    const answer = await clientAnswer(
      new TunnelFailedError('RELAY_PEER_TIMEOUT', 'maybe', 'no answer', { retryAfter: 7 }),
    );
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { forwarded: 'maybe' } });
    expect(answer.headers['retry-after']).toBe('7');
  });

  it('has no body where the client asked for the head alone', async () => {
    const answer = await clientAnswer(coded('RELAY_HEAD_INVALID'), 'HEAD');
    expect(answer.status).toBe(400);
    expect(answer.body).toHaveLength(0);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(0);
  });

  it('of ours says nothing of what happened', async () => {
    const mistake = Object.assign(new TypeError(CANARY), { data: CANARY });
    for (const error of [mistake, CANARY, { code: 'RELAY_TOKEN_INVALID', message: CANARY }]) {
      const answer = await clientAnswer(error);
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { code: 'RELAY_INTERNAL', forwarded: 'maybe', requestId: REQUEST_ID },
      });
      expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toContain(CANARY);
    }
  });

  it('tells nothing of its cause', async () => {
    const cause = Object.assign(new Error(CANARY), { config: { headers: CANARY } });
    const answer = await clientAnswer(coded('RELAY_PEER_UNREACHABLE', { cause }));
    expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toContain(CANARY);
  });

  it('is one line of the log, with its code and whose request it was', async () => {
    await clientAnswer(coded('RELAY_PEER_UNREACHABLE'));
    await clientAnswer(coded('RELAY_HEAD_INVALID'));
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
    const answer = await clientAnswer(coded('RELAY_PAIR_MALFORMED'));
    expect(answer.status).toBe(500);
  });
});

describe('an error to a relay', () => {
  it.each(Object.entries(PEER_ANSWERS))(
    '%s is a status with an empty body, signed where it is a statement: %j',
    async (code, { status, isNeverForwarded }) => {
      for (const purpose of ['tunnel', 'pair'] as const) {
        app.failWith(coded(code));
        const { answer, clientIdHeader } = await app.sendSigned(purpose);
        expect(answer.status).toBe(status);
        expect(answer.body).toHaveLength(0);
        expect(answer.headers['content-type']).toBeUndefined();
        expect(answer.headers['cache-control']).toBe('no-store');
        const relayHeader = answer.headers['x-mte-relay'];
        if (isNeverForwarded === undefined) {
          expect(relayHeader).toBeUndefined();
        } else {
          expect(
            verifyError(app.secretKeys, clientIdHeader, relayHeader as string, status),
          ).toEqual({ status, isNeverForwarded, unixMs: app.clock.nowMs() });
        }
      }
    },
  );

  it('is not signed where the sender was not verified', async () => {
    const { answer } = await app.sendSigned('tunnel', { 'x-mte-client-id': 'a.b.c' });
    expect(answer.status).toBe(566);
    expect(answer.headers['x-mte-relay']).toBeUndefined();
    expect(answer.body).toHaveLength(0);
  });

  it('names its message in the log as the other relay does', async () => {
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

describe('an error after the answer has begun', () => {
  it('resets the connection', async () => {
    const socket = forThisTest(openSocket(app.port));
    const isRead = socket.until('part of an answer');
    app.failAfter('part of an answer', isRead, coded('RELAY_PEER_CONNECTION_LOST'));
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-mte-outbound-token: t\r\n\r\n');
    expect(await socket.ended).toBe('reset');
    expect(socket.received.toString()).not.toContain('RELAY_');
    const [line] = await app.log.count(1);
    expect(line).toMatchObject({ level: 40, msg: 'answer cut off' });
  });
});
