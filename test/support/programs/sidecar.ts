import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';

import { listen, type Listening } from '../network/listen.js';
import { headBytes, type Field } from '../network/raw-http.js';

/**
 * A small sidecar for clients that can set no fields, such as browsers: it adds them to every request and to every upgrade, and
 * passes on all else as it is.
 *
 * @param to - the origin of relay A, or of the API
 * @param added - the fields to add
 */
export async function startSidecar(
  to: string,
  added: Readonly<Record<string, string>>,
): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const options = { agent: false, method, path, headers: { ...headers, ...added } };
    const onward = request(to, options, (response) => {
      outgoing.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const { hostname, port } = new URL(to);
  server.on('upgrade', (incoming: IncomingMessage, client: Socket, early: Buffer) => {
    const { method = '', url = '', rawHeaders } = incoming;
    const fields = [...fieldsOf(rawHeaders), ...Object.entries(added)];
    const relay = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    relay.write(headBytes(`${method} ${url} HTTP/1.1`, fields));
    relay.write(early);
    relay.on('error', () => client.resetAndDestroy());
    client.on('error', () => relay.resetAndDestroy());
    relay.pipe(client).pipe(relay);
  });
  return listen(server);
}

const fieldsOf = (rawHeaders: readonly string[]): Field[] =>
  rawHeaders.flatMap((name, at): Field[] => (at % 2 === 0 ? [[name, rawHeaders[at + 1]!]] : []));
