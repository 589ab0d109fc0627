import type { ExchangeEvents, ExchangeFailure } from '@relay/http';

/** How an exchange ended: with its whole answer, or with a failure. */
export type ExchangeEnd = 'end' | ExchangeFailure;

/** Takes what becomes of one request, and lets a test wait for it. */
export class ExchangeRecorder implements ExchangeEvents {
  /** Every event by name, in order. */
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  status: number | undefined;
  fields: string[] = [];
  /** Whether the sender may go on after a chunk. */
  isReady = true;
  readonly head: Promise<void>;
  readonly data: Promise<void>;
  readonly end: Promise<ExchangeEnd>;
  private hasHead: () => void = () => undefined;
  private hasData: () => void = () => undefined;
  private hasEnded: (end: ExchangeEnd) => void = () => undefined;

  constructor() {
    this.head = new Promise((resolve) => {
      this.hasHead = resolve;
    });
    this.data = new Promise((resolve) => {
      this.hasData = resolve;
    });
    this.end = new Promise((resolve) => {
      this.hasEnded = resolve;
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.events.push('head');
    this.status = status;
    this.fields = rawFields.map((text) => text.toString('latin1'));
    this.hasHead();
  }

  onData(chunk: Buffer): boolean {
    this.events.push('data');
    this.chunks.push(chunk);
    this.hasData();
    return this.isReady;
  }

  onEnd(): void {
    this.events.push('end');
    this.hasEnded('end');
  }

  onFailure(failure: ExchangeFailure): void {
    this.events.push('failure');
    this.hasEnded(failure);
  }
}
