import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { leaveBodies } from '../../../apps/relay/src/server/upgrades.js';
import { Recorder } from '../lifecycle/recorder.js';
import { listen, type Listening } from '../network/listen.js';

/** How a connection that the API upgraded has ended, as the API sees it. */
export interface UpgradeEnd {
  readonly path: string | undefined;
  readonly wasReset: boolean;
}

/** An API that switches protocols, or does not, as the path of the request says. */
export interface UpgradeApi extends Listening {
  /** Every request for an upgrade. */
  readonly requests: Recorder<IncomingMessage>;
  readonly ends: Recorder<UpgradeEnd>;
}

/** What came before the end of the other direction decides what is said after it. */
export const AFTER = 'the other direction has ended after ';

/**
 * `/echo` sends back what comes, up to its end. `/after` answers only then, with AFTER and the number of octets. `/greet` speaks
 * first, in the packet of its 101. `/reset` resets the connection at the first octet. `/other` switches to another protocol than
 * asked, `/none` to none. `/silent` does not respond. Any other path is an ordinary 403.
 */
export async function startUpgradeApi(): Promise<UpgradeApi> {
  const requests = new Recorder<IncomingMessage>();
  const ends = new Recorder<UpgradeEnd>();
  const server = createServer();
  server.on('connection', leaveBodies);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // A body, or what came early.
    socket.unshift(head);
    let wasReset = false;
    socket.on('error', () => {
      wasReset = true;
    });
    socket.once('close', () => {
      ends.add({ path: request.url, wasReset });
    });
    behave(request, socket);
    requests.add(request);
  });
  return { ...(await listen(server)), requests, ends };
}

function behave({ url, headers }: IncomingMessage, socket: Socket): void {
  const protocol = String(headers.upgrade);
  let received = 0;
  switch (url ?? '') {
    case '/echo':
      socket.write(switching(protocol));
      socket.pipe(socket);
      return;
    case '/after':
      socket.write(switching(protocol.toUpperCase()));
      socket.on('data', (octets) => (received += octets.length));
      socket.once('end', () => socket.end(`${AFTER}${received}`));
      return;
    case '/greet':
      socket.write(`${switching(protocol)}hello`);
      socket.pipe(socket);
      return;
    case '/reset':
      socket.write(switching(protocol));
      socket.once('data', () => socket.resetAndDestroy());
      return;
    case '/other':
      socket.end(switching('another'));
      return;
    case '/none':
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n');
      return;
    case '/silent':
      socket.resume();
      socket.once('end', () => socket.destroy());
      return;
    default:
      socket.end('HTTP/1.1 403 Forbidden\r\nx-why: a reason\r\ncontent-length: 2\r\n\r\nno');
  }
}

const switching = (protocol: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\nx-api: yes\r\n\r\n`;
