import type { IncomingMessage } from 'node:http';

import { Recorder } from '../lifecycle/recorder.js';
import { openRequest } from './client.js';

/** An event of a stream of server-sent events. */
export interface ReceivedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** A client of server-sent events. */
export interface EventSource {
  readonly message: IncomingMessage;
  readonly events: Recorder<ReceivedEvent>;
  /** Resolves when the stream has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Asks for `/events`, and reads what comes. */
export async function openEvents(
  origin: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventSource> {
  const { message, client } = await openRequest(origin, { path: '/events', headers });
  const events = new Recorder<ReceivedEvent>();
  let text = '';
  message.setEncoding('utf8');
  message.on('data', (part: string) => {
    const blocks = (text + part).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined && data !== undefined) {
        events.add({ event, data: JSON.parse(data) });
      }
    }
  });
  // The stream may be cut off, which is an end like any other here.
  message.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    message.once('close', resolve);
  });
  return {
    message,
    events,
    ended,
    close: async () => {
      client.destroy();
      await ended;
    },
  };
}
