import type { ExchangeEvents, ExchangeFailure } from '@relay/http';

/** How an exchange ended: with a complete response, or with a failure. */
export type ExchangeEnd = 'end' | ExchangeFailure;

/** Records the events of one exchange, and lets a test wait for them. */
export class ExchangeRecorder implements ExchangeEvents {
  /** The name of every event, in order. */
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  status: number | undefined;
  fields: string[] = [];
  /** Whether the sender may continue after a chunk. */
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
