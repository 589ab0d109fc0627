import type { ErrorCode } from '@relay/errors';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How a request of a client ended: its own limits refused it, or anything else did not let it succeed. */
type ClientResult = 'ok' | 'limited' | 'error';

const RESULTS: readonly ClientResult[] = ['ok', 'limited', 'error'];

/** The metrics of clients that have names. Their labels are those names, of which there are as many as in the directory. */
export class ClientMetrics {
  private readonly requests: Counter<'client' | 'result'>;
  private known: ReadonlySet<string> = new Set();
  private readExpiries: (() => ReadonlyMap<string, number>) | undefined;

  constructor(registry: Registry) {
    this.publishExpiries(registry);
    this.requests = new Counter({
      name: 'mte_relay_client_requests_total',
      help: 'Requests of clients with a name that ended, by client and by result',
      labelNames: ['client', 'result'],
      registers: [registry],
    });
  }

  /** Starts to count clients, and drops what was counted of those that are gone. */
  retain(names: ReadonlySet<string>): void {
    for (const client of this.known) {
      if (!names.has(client)) {
        for (const result of RESULTS) {
          this.requests.remove({ client, result });
        }
      }
    }
    for (const client of names) {
      for (const result of RESULTS) {
        this.requests.inc({ client, result }, 0);
      }
    }
    this.known = names;
  }

  /** Counts a request that has ended. Those of clients that are gone by now are not counted. */
  count(client: string, code: ErrorCode | undefined): void {
    if (this.known.has(client)) {
      this.requests.inc({ client, result: resultOf(code) });
    }
  }

  /** Registers the function that reads when the next token of each client expires, in seconds since 1970. */
  observeExpiries(read: () => ReadonlyMap<string, number>): void {
    this.readExpiries = read;
  }

  private publishExpiries(registry: Registry): void {
    const read = (): ReadonlyMap<string, number> => this.readExpiries?.() ?? new Map();
    new Gauge({
      name: 'mte_relay_client_token_expires_seconds',
      help: 'Unix time at which the next token of a client expires; absent if none will',
      labelNames: ['client'],
      aggregator: 'min',
      registers: [registry],
      collect() {
        this.reset();
        for (const [client, seconds] of read()) {
          this.set({ client }, seconds);
        }
      },
    });
  }
}

function resultOf(code: ErrorCode | undefined): ClientResult {
  if (code === undefined) {
    return 'ok';
  }
  return code === 'RELAY_CLIENT_LIMITED' ? 'limited' : 'error';
}
