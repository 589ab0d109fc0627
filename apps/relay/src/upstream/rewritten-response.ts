import type { Socket } from 'node:net';

import { textOf } from '@relay/fields';
import type { ExchangeEvents, ExchangeFailure } from '@relay/http';

const REWRITTEN = new Set(['location', 'content-location']);

/** The events of an exchange, with every `location` and `content-location` of the response rewritten. */
export class RewrittenResponse implements ExchangeEvents {
  constructor(
    private readonly events: ExchangeEvents,
    private readonly rewrite: (value: string) => string,
  ) {}

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    const fields = rawFields.map((text, at) =>
      at % 2 === 1 && REWRITTEN.has(textOf(rawFields[at - 1]).toLowerCase())
        ? this.rewrite(textOf(text))
        : text,
    );
    this.events.onHead(status, fields);
  }

  onData(chunk: Buffer): boolean {
    return this.events.onData(chunk);
  }

  onEnd(): void {
    this.events.onEnd();
  }

  onFailure(failure: ExchangeFailure): void {
    this.events.onFailure(failure);
  }

  onUpgrade(rawFields: readonly (string | Buffer)[], socket: Socket): void {
    this.events.onUpgrade?.(rawFields, socket);
  }
}
