import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { startUpstream, type UpstreamHandler } from '../upstreams/upstream.js';
import type { Listening } from '../network/listen.js';

/**
 * An API with what programs meet every day:
 * `/json` has an object, `/digest` responds with the SHA-256 of what it is sent, `/moved` redirects to `/json` at the host that it
 * was told, `/missing` is a 404, and `/events` sends one event, and the second only once `/next` has been called.
 */
export function startEverydayApi(): Promise<Listening> {
  const waiting: ServerResponse[] = [];
  const handler: UpstreamHandler = async (request, response) => {
    const body = await request.body();
    const path = new URL(request.url, 'http://any').pathname;
    switch (path) {
      case '/json':
        respond(response, 200, { name: 'Zoë', authorization: request.headers.authorization });
        break;
      case '/digest':
        respond(response, 200, {
          method: request.method,
          octets: body.length,
          sha256: createHash('sha256').update(body).digest('hex'),
        });
        break;
      case '/moved':
        response.writeHead(302, { location: `http://${request.headers.host ?? ''}/json` }).end();
        break;
      case '/events':
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        waiting.push(response);
        break;
      case '/next':
        waiting.splice(0).forEach((events) => events.end('data: 2\n\n'));
        respond(response, 200, {});
        break;
      default:
        respond(response, 404, { error: 'not found' });
    }
  };
  return startUpstream(handler);
}

function respond(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    etag: '"1"',
  });
  response.end(body);
}
