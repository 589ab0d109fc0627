import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { StatusReport, TrafficHistory } from '@relay/status';

import { reasonOf, type Refusal } from './refusal.js';

/** The relay reports once a second. */
const STALE_AFTER_MS = 3_000;
/** A connection that is open and silent for so long is made again: it may have been lost without a sign. */
const RENEW_AFTER_MS = 15_000;
const RETRY_AFTER_MS = 2_000;
const LOOK_EVERY_MS = 250;

/** What is known about the connection to the relay. */
export type Connection =
  | { readonly kind: 'connecting' | 'live' }
  /** Nothing came for `seconds`, although the connection is open (`stale`) or because there is none (`unreachable`). */
  | { readonly kind: 'stale' | 'unreachable'; readonly seconds: number }
  /** The relay responds, but with an error. */
  | { readonly kind: 'refused'; readonly seconds: number; readonly refusal: Refusal };

/** Follows the events of a relay, and has the page drawn again whenever something has changed. */
export class LiveStatus implements ReactiveController {
  report: StatusReport | undefined;
  history: TrafficHistory | undefined;
  connection: Connection = { kind: 'connecting' };

  private events: EventSource | undefined;
  private isConnected = false;
  private refusal: Refusal | undefined;
  /** By the clock that nobody sets. */
  private lastNewsMs = performance.now();
  private openedMs = performance.now();
  private looks: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    this.open();
    this.looks = setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS);
  }

  hostDisconnected(): void {
    clearInterval(this.looks);
    clearTimeout(this.retry);
    this.events?.close();
  }

  private open(): void {
    clearTimeout(this.retry);
    this.events?.close();
    const events = new EventSource('events');
    this.events = events;
    this.openedMs = performance.now();
    events.addEventListener('open', () => {
      this.isConnected = true;
      this.refusal = undefined;
    });
    events.addEventListener('report', ({ data }: MessageEvent<string>) => {
      this.report = JSON.parse(data) as StatusReport;
      this.onNews();
    });
    events.addEventListener('history', ({ data }: MessageEvent<string>) => {
      this.history = JSON.parse(data) as TrafficHistory;
      this.onNews();
    });
    events.addEventListener('error', () => {
      this.isConnected = false;
      // A connection that broke is made again by the browser; after a response with an error it gives up.
      if (events.readyState === EventSource.CLOSED) {
        void this.explain();
      }
    });
  }

  private onNews(): void {
    this.lastNewsMs = performance.now();
    this.connection = { kind: 'live' };
    this.host.requestUpdate();
  }

  /** Asks why there are no events, and tries again unless the browser would ask the operator for a password each time. */
  private async explain(): Promise<void> {
    this.refusal = await reasonOf('events');
    if (this.refusal?.status !== 401) {
      this.retry = setTimeout(() => {
        this.open();
      }, RETRY_AFTER_MS);
    }
  }

  private look(): void {
    const nowMs = performance.now();
    const silentMs = nowMs - this.lastNewsMs;
    if (this.isConnected && Math.min(silentMs, nowMs - this.openedMs) > RENEW_AFTER_MS) {
      this.isConnected = false;
      this.open();
    }
    const connection = this.connectionAfter(silentMs);
    if (JSON.stringify(connection) !== JSON.stringify(this.connection)) {
      this.connection = connection;
      this.host.requestUpdate();
    }
  }

  private connectionAfter(silentMs: number): Connection {
    const seconds = Math.floor(silentMs / 1000);
    if (this.refusal !== undefined) {
      return { kind: 'refused', seconds, refusal: this.refusal };
    }
    if (silentMs < STALE_AFTER_MS) {
      return this.connection.kind === 'live' ? this.connection : { kind: 'connecting' };
    }
    return { kind: this.isConnected ? 'stale' : 'unreachable', seconds };
  }
}
