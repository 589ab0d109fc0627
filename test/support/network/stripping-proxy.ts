import { createServer, request as httpRequest } from 'node:http';

import { listen, type Listening } from './listen.js';

/** A proxy of HTTP/1.1 as many are: `Connection` and `Upgrade` end at it. */
export async function startStrippingProxy(port: number): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers };
    delete headers.connection;
    delete headers.upgrade;
    const onward = httpRequest({ port, method, path, headers, agent: false }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return listen(server);
}
