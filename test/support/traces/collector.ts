import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

import { Recorder } from '../lifecycle/recorder.js';
import { listen } from '../network/listen.js';
import type { RelayEnvironment } from '../relays/relay.js';
import { decodeSpans, type ReceivedSpan } from './decode-spans.js';

/** A request of an exporter. */
export interface ReceivedExport {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What takes traces of relays over OTLP/HTTP. */
export interface Collector {
  readonly url: string;
  readonly exports: Recorder<ReceivedExport>;
  readonly spans: Recorder<ReceivedSpan>;
  /** The variables with which a relay exports to it, soon after a span has ended. */
  readonly environment: RelayEnvironment;
  /** How the next exports are answered; by default, they are taken. */
  respond: (response: ServerResponse) => void;
  close(): Promise<void>;
}

const take = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
};

export async function startCollector(port = 0): Promise<Collector> {
  const exports = new Recorder<ReceivedExport>();
  const spans = new Recorder<ReceivedSpan>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      exports.add({ path: request.url ?? '', headers: request.headers, body });
      for (const span of decodeSpans(body)) {
        spans.add(span);
      }
      collector.respond(response);
    });
  });
  const listening = await listen(server, port);
  const collector: Collector = {
    url: listening.url,
    exports,
    spans,
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: listening.url, OTEL_BSP_SCHEDULE_DELAY: '50' },
    respond: take,
    close: () => listening.close(),
  };
  return collector;
}
