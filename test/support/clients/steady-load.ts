import { randomBytes } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';

import { openRequest, type ClientRequestSpec, type RelayErrorBody } from './client.js';
import {
  EVENTS_PATH,
  EVENT_COUNT,
  ID_HEADER,
  WORK_HEADER,
  digestOf,
} from '../upstreams/counting-upstream.js';
import { Recorder } from '../lifecycle/recorder.js';
import type { Closable } from '../lifecycle/resources.js';

/** The longest that any request may take; one that takes longer counts as hung. */
const HUNG_AFTER_MS = 15_000;
const SMALL = randomBytes(2_000);
const LARGE = randomBytes(1024 * 1024);
const SMALL_DIGEST = digestOf(SMALL);
const LARGE_DIGEST = digestOf(LARGE);
const EMPTY_DIGEST = digestOf(Buffer.alloc(0));

/** A kind of request; all kinds are sent in turn. */
interface Kind {
  readonly method: string;
  readonly path?: string;
  readonly body?: Buffer;
  readonly type?: 'MTE';
  /** Whether the response is an event stream. */
  readonly isStream?: true;
  /** How long the upstream works on the request, so that some request is always in progress. */
  readonly workMs?: number;
}

const KINDS: readonly Kind[] = [
  { method: 'GET' },
  { method: 'POST', body: SMALL },
  { method: 'PUT', body: SMALL, workMs: 100 },
  { method: 'POST', body: LARGE },
  { method: 'PATCH', body: SMALL },
  { method: 'GET', path: EVENTS_PATH, isStream: true },
  { method: 'POST', body: SMALL, workMs: 100 },
  { method: 'DELETE' },
  { method: 'POST', body: SMALL, type: 'MTE' },
  { method: 'GET', workMs: 100 },
  { method: 'HEAD' },
  { method: 'PUT', body: LARGE },
  { method: 'PATCH', body: SMALL, workMs: 100, type: 'MTE' },
  { method: 'OPTIONS' },
];

/** How one request ended. */
export interface LoadOutcome {
  readonly id: string;
  readonly method: string;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly ms: number;
  /**
   * `answered`: the response was complete and correct · `refused`: a relay responded with an error · `broken`: the
   * response was cut off · `dropped`: the connection failed before a response · `wrong`: some other response ·
   * `hung`: no end within the limit.
   */
  readonly end: 'completed' | 'refused' | 'broken' | 'dropped' | 'wrong' | 'hung';
  readonly status?: number;
  readonly code?: string;
  readonly forwarded?: 'no' | 'maybe';
  readonly detail?: string;
}

type Ending = Omit<LoadOutcome, 'id' | 'method' | 'startedAt' | 'ms'>;

/** Clients that keep sending requests of all kinds, each with a unique id, whether or not earlier ones failed. */
export interface SteadyLoad extends Closable {
  /** The outcomes, in the order in which the requests ended. */
  readonly outcomes: Recorder<LoadOutcome>;
  /** Resolves when this many more requests have ended, which takes about as long as sending them. */
  pass(requests: number): Promise<void>;
  /** Stops sending, and resolves once every request has ended. */
  stop(): Promise<readonly LoadOutcome[]>;
}

interface LoadOptions {
  /** The origin that the clients connect to. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond: number;
  /** Whether requests of type `MTE` are among them, which always travel as messages; true by default. */
  readonly withMte?: boolean;
}

let loads = 0;

export function startLoad({ origin, headers, perSecond, withMte = true }: LoadOptions): SteadyLoad {
  const outcomes = new Recorder<LoadOutcome>();
  const underWay = new Set<Promise<void>>();
  const kinds = KINDS.filter(({ type }) => withMte || type !== 'MTE');
  loads += 1;
  const load = loads;
  let count = 0;
  const timer = setInterval(() => {
    const kind = kinds[count % kinds.length]!;
    count += 1;
    const sent = send(origin, headers, kind, `${load}-${count}`).then((outcome) => {
      underWay.delete(sent);
      outcomes.add(outcome);
    });
    underWay.add(sent);
  }, 1000 / perSecond);
  const stop = async (): Promise<readonly LoadOutcome[]> => {
    clearInterval(timer);
    await Promise.all(underWay);
    return outcomes.items;
  };
  return {
    outcomes,
    pass: async (requests) => {
      await outcomes.count(outcomes.items.length + requests, 2 * HUNG_AFTER_MS);
    },
    stop,
    close: async () => {
      await stop();
    },
  };
}

async function send(
  origin: string,
  headers: LoadOptions['headers'],
  kind: Kind,
  id: string,
): Promise<LoadOutcome> {
  const { method, path = `/${id}`, body, type = 'MKE', workMs = 0 } = kind;
  const own = { [ID_HEADER]: id, [WORK_HEADER]: String(workMs), 'x-mte-encode-type': type };
  const spec = { method, path, headers: { ...headers, ...own }, ...(body && { body }) };
  const startedAt = performance.now();
  const limit = new AbortController();
  const ending = await Promise.race([
    exchange(origin, spec, kind, id),
    after(HUNG_AFTER_MS, { end: 'hung' } as const, { signal: limit.signal }),
  ]);
  limit.abort();
  return { id, method, startedAt, ms: performance.now() - startedAt, ...ending };
}

async function exchange(
  origin: string,
  spec: ClientRequestSpec,
  kind: Kind,
  id: string,
): Promise<Ending> {
  let status = 0;
  try {
    const { message } = await openRequest(origin, spec);
    status = message.statusCode ?? 0;
    const body = await buffer(message);
    const isOurs = message.headers[ID_HEADER] === id;
    return status === 200 && isOurs && isRight(kind, body)
      ? { end: 'completed', status }
      : { status, ...refusal(status, body, kind) };
  } catch (error) {
    return { end: status === 0 ? 'dropped' : 'broken', status, detail: String(error) };
  }
}

function isRight({ method, body, isStream }: Kind, received: Buffer): boolean {
  if (isStream === true) {
    return received.toString().split('data: ').length === EVENT_COUNT + 1;
  }
  if (method === 'HEAD') {
    return received.length === 0;
  }
  const digest = { [SMALL.length]: SMALL_DIGEST, [LARGE.length]: LARGE_DIGEST }[body?.length ?? 0];
  return received.toString() === (digest ?? EMPTY_DIGEST);
}

/** A relay's error, or a wrong response; for HEAD, only the status can tell. */
function refusal(status: number, body: Buffer, { method }: Kind): Ending {
  if (method === 'HEAD' && status >= 500) {
    return { end: 'refused' };
  }
  try {
    const { error } = JSON.parse(body.toString()) as { readonly error: RelayErrorBody };
    return { end: 'refused', code: error.code, forwarded: error.forwarded };
  } catch {
    // Neither the expected response nor a relay's error.
    return { end: 'wrong', detail: body.toString('latin1', 0, 200) };
  }
}
