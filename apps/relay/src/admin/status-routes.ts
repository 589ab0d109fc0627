import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

import { StatusService } from '../status/status.service.js';
import { AdminConnections } from './admin-connections.js';
import { SECURITY_FIELDS } from './security-fields.js';
import { MAX_WATCHERS, StatusEvents } from './status-events.js';
import { summaryOf } from './summary.js';
import { SUMMARY_STYLE } from './summary-style.js';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const EVENT_STREAM = 'text/event-stream';
const RETRY_AFTER_SECONDS = 10;

/** The status of the relay: what the page shows. */
@Injectable()
export class StatusRoutes {
  constructor(
    private readonly status: StatusService,
    private readonly events: StatusEvents,
    private readonly connections: AdminConnections,
  ) {}

  addTo(server: FastifyInstance): void {
    server.get('/status.json', () => this.status.current());
    server.get('/summary', async (_request, reply) =>
      reply.type(HTML).send(summaryOf(await this.status.current())),
    );
    server.get('/summary.css', (_request, reply) => reply.type(CSS).send(SUMMARY_STYLE));
    server.get('/events', (request, reply) => {
      if (this.events.has(request.socket)) {
        return reply.code(400).send({ error: 'this connection has a stream of events already' });
      }
      if (this.events.isFull) {
        return reply
          .code(503)
          .header('retry-after', RETRY_AFTER_SECONDS)
          .send({ error: `${MAX_WATCHERS} others watch this process already` });
      }
      if (request.method === 'HEAD') {
        return reply.type(EVENT_STREAM).send();
      }
      reply.hijack();
      const { raw } = reply;
      // Buffered by a proxy, events would arrive late and together.
      raw.writeHead(200, {
        ...SECURITY_FIELDS,
        'content-type': EVENT_STREAM,
        'x-accel-buffering': 'no',
      });
      request.socket.setTimeout(0);
      this.connections.keep(request.socket);
      this.events.add(raw);
      return reply;
    });
  }
}
