import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from 'undici';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { ExchangeRecorder } from '../../../test/support/lifecycle/exchange-recorder.js';
import { startRawServer } from '../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../test/support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../../../test/support/upstreams/upstream.js';
import { Exchange } from './exchange.js';

const RESPONSE_LIMIT_MS = 60_000;
const IDLE_LIMIT_MS = 20_000;
const LIMITS = { responseTimeoutMs: RESPONSE_LIMIT_MS, idleTimeoutMs: IDLE_LIMIT_MS };

const shared = sharedResources();
let upstream: Upstream;
let agent: Agent;
let responses: Recorder<ServerResponse>;

beforeAll(async () => {
  agent = new Agent({ pipelining: 1 });
  shared({ close: () => agent.destroy() });
  upstream = shared(
    await startUpstream((_request, response) => {
      responses.add(response);
    }),
  );
});

beforeEach(() => {
  responses = new Recorder();
});

afterEach(() => {
  vi.useRealTimers();
});

function send(
  body?: Buffer | AsyncIterable<Buffer>,
  { limits = LIMITS, origin = upstream.url } = {},
) {
  if (!vi.isFakeTimers()) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  }
  const seen = new ExchangeRecorder();
  const exchange = new Exchange(limits, seen);
  exchange.start(agent, { origin, method: 'POST', path: '/', headers: [], body });
  return { exchange, seen };
}

/** The server's response, of which nothing has been sent yet. */
async function response(): Promise<ServerResponse> {
  const [first] = await responses.count(1);
  return first!;
}

/** Lets everything happen that does not depend on timers. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await nextTurn();
  }
}

describe('the response time limit', () => {
  it.each([
    ['nothing', undefined],
    ['a whole body', Buffer.from('body')],
  ])('ends the exchange after the limit if %s was sent', async (_what, body) => {
    const { seen } = send(body);
    await response();
    vi.advanceTimersByTime(RESPONSE_LIMIT_MS - 1);
    await settle();
    expect(seen.events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await seen.end).toMatchObject({ kind: 'response-timeout', wasSent: true });
  });

  it('starts at the end of an upload, however long the upload takes', async () => {
    let finish: () => void = () => undefined;
    const whole = new Promise<void>((resolve) => {
      finish = resolve;
    });
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.from('first');
      await whole;
      yield Buffer.from('last');
    }
    const { seen } = send(slow());
    await response();
    await settle();
    vi.advanceTimersByTime(100 * RESPONSE_LIMIT_MS);
    await settle();
    expect(seen.events).toEqual([]);

    finish();
    await upstream.requests.items.at(-1)!.body();
    vi.advanceTimersByTime(RESPONSE_LIMIT_MS - 1);
    await settle();
    expect(seen.events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await seen.end).toMatchObject({ kind: 'response-timeout', wasSent: true });
  });

  it('ends with the response head', async () => {
    const { seen } = send(undefined, { limits: { ...LIMITS, idleTimeoutMs: 0 } });
    (await response()).flushHeaders();
    await seen.head;
    vi.advanceTimersByTime(100 * RESPONSE_LIMIT_MS);
    (await response()).end();
    expect(await seen.end).toBe('end');
  });

  it('does not include the time that it takes to connect', async () => {
    const connecting = new Agent({ connect: { lookup: lookupLater } });
    forThisTest({ close: () => connecting.destroy() });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const seen = new ExchangeRecorder();
    const origin = upstream.url.replace('127.0.0.1', 'upstream.example');
    const request = { origin, method: 'GET', path: '/', headers: [], body: undefined };
    new Exchange({ ...LIMITS, responseTimeoutMs: 1_000 }, seen).start(connecting, request);
    vi.advanceTimersByTime(1_000);
    expect(seen.events).toEqual([]);
    lookups.items.at(-1)?.();
    (await response()).end();
    expect(await seen.end).toBe('end');
  });
});

const lookups = new Recorder<() => void>();

/** Resolves to the loopback address once a test calls the recorded function. */
function lookupLater(
  _name: string,
  _options: object,
  callback: (error: null, addresses: { address: string; family: number }[]) => void,
): void {
  lookups.add(() => {
    callback(null, [{ address: '127.0.0.1', family: 4 }]);
  });
}

describe('silence within a response', () => {
  it('ends the exchange after the limit', async () => {
    const { seen } = send();
    (await response()).write('hello');
    await seen.data;
    vi.advanceTimersByTime(IDLE_LIMIT_MS - 1);
    expect(seen.events).toEqual(['head', 'data']);
    vi.advanceTimersByTime(1);
    expect(await seen.end).toMatchObject({ kind: 'idle', wasSent: true });
  });

  it('ends the exchange even between head and body', async () => {
    const { seen } = send();
    (await response()).flushHeaders();
    await seen.head;
    vi.advanceTimersByTime(IDLE_LIMIT_MS);
    expect(await seen.end).toMatchObject({ kind: 'idle' });
  });

  it('is measured from the last chunk', async () => {
    const { seen } = send();
    for (let count = 1; count <= 5; count += 1) {
      (await response()).write('x');
      while (seen.chunks.length < count) {
        await nextTurn();
      }
      vi.advanceTimersByTime(IDLE_LIMIT_MS - 1);
    }
    (await response()).end();
    expect(await seen.end).toBe('end');
  });

  it('is not counted while the receiver is not ready', async () => {
    const { exchange, seen } = send();
    seen.isReady = false;
    (await response()).write('hello');
    await seen.data;
    vi.advanceTimersByTime(100 * IDLE_LIMIT_MS);
    expect(seen.events).toEqual(['head', 'data']);
    exchange.resume();
    vi.advanceTimersByTime(IDLE_LIMIT_MS - 1);
    expect(seen.events).toEqual(['head', 'data']);
    vi.advanceTimersByTime(1);
    expect(await seen.end).toMatchObject({ kind: 'idle' });
  });

  it('is unlimited once it is allowed', async () => {
    const { exchange, seen } = send();
    (await response()).write('data: 1\n\n');
    await seen.data;
    exchange.allowSilence();
    vi.advanceTimersByTime(100 * IDLE_LIMIT_MS);
    (await response()).end();
    expect(await seen.end).toBe('end');
  });

  it('is unlimited if the limit is 0', async () => {
    const { seen } = send(undefined, { limits: { ...LIMITS, idleTimeoutMs: 0 } });
    (await response()).write('hello');
    await seen.data;
    vi.advanceTimersByTime(24 * 60 * 60 * 1000);
    (await response()).end();
    expect(await seen.end).toBe('end');
  });
});

describe('a receiver that stops reading the request', () => {
  it('ends the exchange after the idle limit', async () => {
    const server = forThisTest(
      await startRawServer((connection) => {
        connection.socket.pause();
      }),
    );
    let requested = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        requested += 1;
        await nextTurn();
        yield Buffer.alloc(256 * 1024);
      }
    }
    const { seen } = send(endless(), { origin: server.url });
    let before = -1;
    while (requested > before) {
      before = requested;
      await settle();
    }
    vi.advanceTimersByTime(IDLE_LIMIT_MS);
    expect(await seen.end).toMatchObject({ kind: 'idle', wasSent: true });
  });

  it('is told apart from a slow source, which has no limit', async () => {
    let finish: () => void = () => undefined;
    const whole = new Promise<void>((resolve) => {
      finish = resolve;
    });
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.from('first');
      await whole;
    }
    const { seen } = send(slow());
    await response();
    await settle();
    vi.advanceTimersByTime(100 * IDLE_LIMIT_MS);
    finish();
    await upstream.requests.items.at(-1)!.body();
    (await response()).end();
    expect(await seen.end).toBe('end');
  });
});

describe('an exchange that is over', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The exchange's own timers that were started and never cleared. */
  async function timersLeftBy(act: (sent: ReturnType<typeof send>) => void): Promise<unknown[]> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const started = vi.spyOn(globalThis, 'setTimeout');
    const stopped = vi.spyOn(globalThis, 'clearTimeout');
    const sent = send(Buffer.from('body'));
    act(sent);
    (await response()).end('hello');
    await sent.seen.end;
    await settle();
    const isOwn = (ms: unknown): boolean => ms === IDLE_LIMIT_MS || ms === RESPONSE_LIMIT_MS;
    const timers = started.mock.results
      .filter((_, at) => isOwn(started.mock.calls[at]?.[1]))
      .map(({ value }) => value as NodeJS.Timeout);
    expect(timers.length).toBeGreaterThan(0);
    return timers.filter((timer) => !stopped.mock.calls.some(([other]) => other === timer));
  }

  it('leaves no timer', async () => {
    expect(await timersLeftBy(() => undefined)).toHaveLength(0);
  });

  it('leaves no timer if the receiver aborted it on a chunk', async () => {
    const left = await timersLeftBy(({ exchange, seen }) => {
      const onData = seen.onData.bind(seen);
      seen.onData = (chunk) => {
        exchange.abort(new Error('chunk refused'));
        return onData(chunk);
      };
    });
    expect(left).toHaveLength(0);
  });
});
