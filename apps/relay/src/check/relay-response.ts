import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { rawFieldValues } from '@relay/fields';
import { PROBE_PATH, PROTOCOL_VERSION, RELAY_HEADER } from '@relay/protocol';

import { meansUnreached } from '../peers/intermediary-response.js';
import { bodyHead } from './body-head.js';
import { printable, shownIntermediaries } from './intermediaries.js';
import { StepFailedError, type Steps } from './steps.js';

/** Of the page of an error, what says what it is about. */
const MAX_BODY_BYTES = 4_096;

/** What the response to a probe shows. */
export interface RelayResponse {
  /** How far the clock of whoever has written the `date` is ahead of ours, in ms, to the second; undefined without one. */
  readonly aheadMs: number | undefined;
}

/** The steps relay and path, on a connection to relay B, which they end. */
export async function askRelay(
  steps: Steps,
  socket: Socket,
  origin: string,
  limitMs: number,
): Promise<RelayResponse | undefined> {
  const result = await steps.run('relay', 'CHECK_NO_HTTP', async () => {
    const startedAtMs = Date.now();
    const response = await probe(socket, origin, limitMs);
    const aheadMs = aheadOf(response, startedAtMs);
    const isRelay =
      response.statusCode === 200 && response.headers[RELAY_HEADER] === PROTOCOL_VERSION;
    if (!isRelay) {
      const body = await bodyHead(response, MAX_BODY_BYTES).catch(() => '');
      throw noRelay(response, origin, body);
    }
    response.resume();
    return {
      detail: `a relay responds at ${PROBE_PATH}, protocol version ${PROTOCOL_VERSION}`,
      value: { response, aheadMs },
    };
  });
  socket.destroy();
  if (result === undefined) {
    return undefined;
  }
  const { response, aheadMs } = result;
  steps.pass('path', shownIntermediaries(response.headers));
  return { aheadMs };
}

/** The `date` of a response has no fractions of a second. */
function aheadOf({ headers }: IncomingMessage, startedAtMs: number): number | undefined {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? undefined : date + 500 - (startedAtMs + Date.now()) / 2;
}

async function probe(socket: Socket, origin: string, limitMs: number): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(limitMs);
  const request = httpRequest(origin.replace(/^https/, 'http') + PROBE_PATH, {
    createConnection: () => socket,
    headers: { host: new URL(origin).host, 'cache-control': 'no-store' },
    signal,
  });
  request.end();
  try {
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    return response;
  } catch (error) {
    if (signal.aborted) {
      throw new StepFailedError('CHECK_RELAY_TIMEOUT', `no response within ${limitMs} ms`);
    }
    throw unreadable(error as NodeJS.ErrnoException & { readonly rawPacket?: Buffer });
  }
}

/** What TLS servers say to what is no TLS: a record of type alert (21), RFC 8446 section 5.1. */
const TLS_ALERT = 0x15;

function unreadable({
  code = '',
  rawPacket,
}: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }): StepFailedError {
  if (rawPacket?.[0] === TLS_ALERT) {
    return new StepFailedError('CHECK_TLS_EXPECTED', 'what listens there expects TLS');
  }
  if (code.includes('CERTIFICATE_REQUIRED')) {
    return new StepFailedError(
      'CHECK_TLS_FAILED',
      'the other side wants a certificate of this relay: relays present none to each other',
    );
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new StepFailedError('CHECK_NO_RELAY', 'the head of the response is too long');
  }
  if (code.startsWith('ERR_SSL_')) {
    return new StepFailedError('CHECK_TLS_FAILED', `the other side has ended TLS (${code})`);
  }
  return new StepFailedError(
    'CHECK_NO_HTTP',
    code.startsWith('HPE_')
      ? 'what listens there does not speak HTTP'
      : `the connection was closed without a response (${code}): another program, or one that expects TLS`,
  );
}

function noRelay(
  { statusCode = 0, headers, rawHeaders }: IncomingMessage,
  origin: string,
  body: string,
): StepFailedError {
  const [server] = rawFieldValues(rawHeaders, 'server');
  const who = server === undefined ? '' : ` of ${printable(server)}`;
  const { location } = headers;
  if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
    return new StepFailedError(
      'CHECK_REDIRECTED',
      `status ${statusCode}${who} redirects to ${printable(location)}`,
    );
  }
  if (meansUnreached(statusCode)) {
    return new StepFailedError(
      'CHECK_GATEWAY_FAILED',
      `a gateway responds with status ${statusCode}${who}: it does not reach relay B`,
    );
  }
  const version = headers[RELAY_HEADER];
  if (statusCode === 200 && version !== undefined) {
    return new StepFailedError(
      'CHECK_VERSION_DIFFERS',
      `the other relay has protocol version ${printable(String(version))}, ours is ${PROTOCOL_VERSION}`,
    );
  }
  if (statusCode === 401 || statusCode === 403) {
    return new StepFailedError(
      'CHECK_NO_RELAY',
      `status ${statusCode}${who}: a gateway must let /api/mte-* through without credentials`,
    );
  }
  if (statusCode === 400 && origin.startsWith('http:') && /https|ssl|tls/i.test(body)) {
    return new StepFailedError('CHECK_TLS_EXPECTED', `status 400${who}, with a text about TLS`);
  }
  return new StepFailedError(
    'CHECK_NO_RELAY',
    `status ${statusCode}${who} without x-mte-relay: what responds there is not a relay`,
  );
}
