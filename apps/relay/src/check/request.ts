import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { bodyHead } from './body-head.js';
import { printable } from './intermediaries.js';
import { StepFailedError, type Steps } from './steps.js';

/** A request that is to reach the API. */
export interface CheckRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

const RELAY_CODE = /^RELAY_[A-Z_]+$/;
/** Errors of relays are far shorter. */
const MAX_BODY_BYTES = 65_536;

/** The relay of this process, and who may call it. */
export interface OwnRelay {
  readonly app: NestFastifyApplication;
  readonly token: string;
}

/** The step request: what a client of relay A does, with a token that only this process knows. Nothing else of a check reaches the API. */
export async function sendRequest(
  steps: Steps,
  { app, token }: OwnRelay,
  origin: string,
  { method, path }: CheckRequest,
  limitMs: number,
): Promise<void> {
  await steps.run('request', 'CHECK_REQUEST_FAILED', async () => {
    const signal = AbortSignal.timeout(limitMs);
    try {
      const response = await send(app, { method, path, token, origin, signal });
      const refusal = await refusalOf(response, signal);
      response.destroy();
      const { statusCode = 0 } = response;
      if (refusal !== undefined) {
        throw new StepFailedError('CHECK_REQUEST_FAILED', `status ${statusCode}, ${refusal}`);
      }
      const detail = `${method} ${printable(path)}: the API gives status ${statusCode}`;
      return { detail, value: undefined };
    } catch (error) {
      throw signal.aborted && !(error instanceof StepFailedError)
        ? new StepFailedError('CHECK_REQUEST_FAILED', `no response within ${limitMs} ms`)
        : error;
    }
  });
}

interface Sent extends CheckRequest {
  readonly token: string;
  readonly origin: string;
  readonly signal: AbortSignal;
}

async function send(
  app: NestFastifyApplication,
  { method, path, token, origin, signal }: Sent,
): Promise<IncomingMessage> {
  const server = app.getHttpServer();
  if (!server.listening) {
    await app.listen(0, '127.0.0.1');
  }
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    method,
    path,
    signal,
    agent: false,
    headers: {
      host: new URL(origin).host,
      'x-mte-outbound-token': token,
      'x-mte-upstream': origin,
    },
  });
  request.end();
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
  return response;
}

/** The code and the message in the body of a response, if it is an error of a relay. A body that does not end is one of the API. */
async function refusalOf(
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!/json/i.test(response.headers['content-type'] ?? '')) {
    return undefined;
  }
  try {
    return shownError(await bodyHead(response, MAX_BODY_BYTES));
  } catch (error) {
    if (signal.aborted) {
      return undefined;
    }
    throw error;
  }
}

/** An error of a relay, by its code: an API has none like it. */
function shownError(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: Readonly<Record<string, unknown>> };
    const { code, message } = error ?? {};
    return typeof code === 'string' && RELAY_CODE.test(code)
      ? `${code}: ${String(message)}`
      : undefined;
  } catch {
    // It is no JSON, or none of a relay.
    return undefined;
  }
}
