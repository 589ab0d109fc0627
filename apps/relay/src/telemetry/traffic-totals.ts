import { Counter, type Registry } from 'prom-client';

import type { RequestRecord } from './request-record.js';

/** Byte counts of one role. */
interface Traffic {
  plainIn: number;
  plainOut: number;
  sealedIn: number;
  sealedOut: number;
}

/** The roles that forward bodies. */
const CARRIERS = ['outbound', 'inbound', 'pass-through'] as const;
type Carrier = (typeof CARRIERS)[number];

/** How many bytes each role has forwarded. Plain numbers, which become metrics only when metrics are collected. */
export class TrafficTotals {
  private readonly totals = Object.fromEntries(
    CARRIERS.map((role) => [role, { plainIn: 0, plainOut: 0, sealedIn: 0, sealedOut: 0 }]),
  ) as Record<Carrier, Traffic>;

  constructor(registry: Registry) {
    this.publish(
      registry,
      'mte_relay_body_bytes_total',
      'Bytes of bodies in clear, of requests that ended',
      CARRIERS,
      ({ plainIn, plainOut }) => [plainIn, plainOut],
    );
    this.publish(
      registry,
      'mte_relay_sealed_bytes_total',
      'Bytes of sealed messages, heads included, of requests that ended',
      ['outbound', 'inbound'],
      ({ sealedIn, sealedOut }) => [sealedIn, sealedOut],
    );
  }

  /** Adds the sizes of a request that has ended. */
  add(record: RequestRecord): void {
    const traffic = (this.totals as Record<string, Traffic | undefined>)[record.role];
    if (traffic !== undefined) {
      traffic.plainIn += record.bytesIn ?? 0;
      traffic.plainOut += record.bytesOut ?? 0;
      traffic.sealedIn += record.sealedIn ?? 0;
      traffic.sealedOut += record.sealedOut ?? 0;
    }
  }

  private publish(
    registry: Registry,
    name: string,
    help: string,
    roles: readonly Carrier[],
    numbersOf: (traffic: Traffic) => readonly [received: number, sent: number],
  ): void {
    const { totals } = this;
    new Counter({
      name,
      help,
      labelNames: ['role', 'direction'],
      registers: [registry],
      collect() {
        this.reset();
        for (const role of roles) {
          const [received, sent] = numbersOf(totals[role]);
          this.inc({ role, direction: 'in' }, received);
          this.inc({ role, direction: 'out' }, sent);
        }
      },
    });
  }
}
