import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';

import { listen, type Listening } from '../network/listen.js';
import { REPLICA_HEADER } from '../processes/replica.js';

/** The header whose value identifies a request in the counts. */
export const ID_HEADER = 'x-load-id';
/** The header that states how long the upstream works on a request before it responds, in milliseconds. */
export const WORK_HEADER = 'x-load-work';
/** The path that responds with an event stream, and the number of its events. */
export const EVENTS_PATH = '/events';
export const EVENT_COUNT = 8;
const EVENT_INTERVAL_MS = 100;

/** A request that the upstream is executing. */
export interface Execution {
  readonly method: string;
  /** The inbound relay that forwarded the request. */
  readonly replica: string;
  /** How long the execution takes, in milliseconds, and when it began, on the clock of `performance.now()`. */
  readonly workMs: number;
  readonly startedAt: number;
}

/** An upstream that counts how often it executed each request. An execution begins with the head of a request. */
export interface CountingUpstream extends Listening {
  /** How often a request with this id has been received. */
  executions(id: string): number;
  /** Executions that have not ended. */
  readonly running: ReadonlySet<Execution>;
  /** When the last execution began or ended, on the clock of `performance.now()`. */
  readonly lastActiveAt: number;
}

/** The body of the response to a request with this body: its hash. */
export function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

export async function startCountingUpstream(): Promise<CountingUpstream> {
  const executions = new Map<string, number>();
  const running = new Set<Execution>();
  let lastActiveAt = performance.now();
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const id = String(request.headers[ID_HEADER]);
    executions.set(id, (executions.get(id) ?? 0) + 1);
    const execution = {
      method: request.method ?? '',
      replica: String(request.headers[REPLICA_HEADER]),
      workMs: Number(request.headers[WORK_HEADER] ?? 0),
      startedAt: performance.now(),
    };
    running.add(execution);
    lastActiveAt = performance.now();
    response.on('error', () => undefined);
    response.once('close', () => {
      running.delete(execution);
      lastActiveAt = performance.now();
    });
    execute(request, response, execution.workMs).catch(() => response.destroy());
  });
  return {
    ...(await listen(server)),
    executions: (id) => executions.get(id) ?? 0,
    running,
    get lastActiveAt() {
      return lastActiveAt;
    },
  };
}

async function execute(
  request: IncomingMessage,
  response: ServerResponse,
  workMs: number,
): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of request) {
    hash.update(chunk as Buffer);
  }
  await after(workMs);
  const echoed = { [ID_HEADER]: request.headers[ID_HEADER] };
  if (request.url === EVENTS_PATH) {
    response.writeHead(200, { ...echoed, 'content-type': 'text/event-stream' });
    for (let event = 1; event <= EVENT_COUNT; event += 1) {
      response.write(`data: ${event}\n\n`);
      await after(EVENT_INTERVAL_MS);
    }
    response.end();
    return;
  }
  const body = hash.digest('hex');
  response.writeHead(200, { ...echoed, 'content-length': body.length });
  response.end(body);
}
