import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { startTracedTunnel, type TracedTunnel } from '../../support/traces/traced-tunnel.js';
import { chainOf, newCaller, type Caller } from '../../support/traces/traced.js';

const shared = sharedResources();
let tunnel: TracedTunnel;
let caller: Caller;
/** Of the API, each of which has begun. */
let streams: Recorder<ServerResponse>;

beforeAll(async () => {
  tunnel = shared(await startTracedTunnel());
});

beforeEach(() => {
  caller = newCaller();
  tunnel.forget();
  streams = new Recorder();
  tunnel.upstream.handle((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    streams.add(response);
  });
});

/** Opens an event stream of the API, and returns with its first event. */
async function openStream(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  const request = get(url, { headers: { ...headers, traceparent: caller.traceparent } });
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  await once(response, 'data');
  return response;
}

const endsOf = async (count: number) =>
  (await chainOf(tunnel.collector, caller, count)).map(({ isError, attributes }) => ({
    isError,
    status: attributes['http.response.status_code'],
    code: attributes['mte.code'],
    errorType: attributes['error.type'],
  }));

describe('an event stream', () => {
  it('that its client leaves is no error, and all spans have its status', async () => {
    const stream = await openStream(tunnel.outbound.url, tunnel.clientHeaders);
    stream.destroy();

    const end = { isError: false, status: 200, errorType: undefined };
    expect(await endsOf(4)).toEqual([
      { ...end, code: 'RELAY_CLIENT_GONE' },
      { ...end, code: 'RELAY_CLIENT_GONE' },
      { ...end, code: 'RELAY_PEER_GONE' },
      { ...end, code: 'RELAY_PEER_GONE' },
    ]);
  });

  it('that a client without a token leaves is none either', async () => {
    const stream = await openStream(`${tunnel.inbound.url}/open`, {});
    stream.destroy();

    const end = { isError: false, status: 200, errorType: undefined, code: 'RELAY_CLIENT_GONE' };
    expect(await endsOf(2)).toEqual([end, end]);
  });

  it('that the API breaks off is an error, and all spans have its status', async () => {
    await openStream(tunnel.outbound.url, tunnel.clientHeaders);
    (await streams.find()).destroy();

    for (const end of await endsOf(4)) {
      expect(end).toMatchObject({ isError: true, status: 200, errorType: end.code });
      expect(end.code).toMatch(/^RELAY_/);
    }
  });
});
