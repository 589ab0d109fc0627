import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';

import { lingeringClose } from '@relay/http';

import { ENTRANCE, type Entrance } from './entrance.js';
import { isUpgrade } from './request-routing.js';

/** A connection whose request has asked for an upgrade, and is to be granted it or refused. */
export interface OfferedConnection {
  readonly socket: Socket;
  /** What was read behind the request. */
  readonly head: Buffer;
}

const OFFERED = Symbol('whether the request offers an upgrade');
const TAKEN = Symbol('whether the offer may be taken up');
const CONNECTION = Symbol('offered connection');

type Carrier = IncomingMessage & { [CONNECTION]?: OfferedConnection };

/** The part of a connection's parser that is told of each head. Node.js does not document it. */
interface Parser {
  onIncoming?: (request: IncomingMessage, isKept: boolean) => number;
}

/** What the parser is told if everything behind a head is left to whoever takes the connection. */
const REST_IS_UNPARSED = 2;

/**
 * The requests of a server, which count as requests for an upgrade only if this relay may take the offer up. Node.js would
 * otherwise treat every request with an offer as one, as soon as the server listens for any, and not read its body. An offer
 * behind a request whose response is pending is ignored, too. RFC 9110 section 7.8.
 *
 * @param protocols - that clients may ask for, in lower case
 * @param entrance - where the requests of this server come in
 */
export function relayRequests(
  protocols: readonly string[],
  entrance: Entrance,
): typeof IncomingMessage {
  return class RelayRequest extends IncomingMessage {
    private [OFFERED]?: boolean | null;
    private [TAKEN]: boolean | undefined;

    get [ENTRANCE](): Entrance {
      return entrance;
    }

    /** Set by Node.js; also by its own constructor, before this object has fields. */
    set upgrade(isOffered: boolean | null) {
      this[OFFERED] = isOffered;
    }

    get upgrade(): boolean {
      if (this[OFFERED] !== true) {
        return false;
      }
      // Decided once, as soon as Node.js asks: by then the head is complete, and later the request has another route.
      this[TAKEN] ??=
        this.method === 'CONNECT' ||
        (isUpgrade(this, protocols) && !isAwaitingResponse(this.socket));
      return this[TAKEN];
    }
  };
}

/** The connection of a request that counts as one for an upgrade; undefined for any other request. */
export function offeredConnection(request: IncomingMessage): OfferedConnection | undefined {
  return (request as Carrier)[CONNECTION];
}

/**
 * Lets requests for an upgrade be routed like all others. A response that refuses one closes its connection.
 *
 * @param route - routes a request
 */
export function routeUpgrades(
  server: Server,
  route: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
  server.on(opened, leaveBodies);
  server.on('upgrade', (request: IncomingMessage, _: Duplex, head: Buffer) => {
    const { socket } = request;
    socket.on('error', () => socket.destroy());
    (request as Carrier)[CONNECTION] = { socket, head };
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // Node.js no longer does so for this connection.
    socket.on('drain', () => {
      if (response.writableNeedDrain) {
        response.emit('drain');
      }
    });
    // The client may have sent octets in the hope of a 101, which must not cost it the response.
    response.once('finish', () => {
      response.detachSocket(socket);
      response.emit('close');
      lingeringClose(socket);
      socket.destroySoon();
    });
    route(request, response);
  });
}

/**
 * Leaves the body of a request for an upgrade on its connection, for whoever takes that. Node.js 26 would parse the body, and keep
 * the connection until then; Node.js 20 does not.
 */
export function leaveBodies({ parser }: Socket & { readonly parser?: Parser }): void {
  const onIncoming = parser?.onIncoming;
  if (parser !== undefined && onIncoming !== undefined) {
    parser.onIncoming = (request, isKept) => {
      const told = onIncoming(request, isKept);
      return (request as IncomingMessage & { upgrade?: boolean }).upgrade === true
        ? REST_IS_UNPARSED
        : told;
    };
  }
}

/** Whether the connection has a response under way. Node.js does not document where it keeps it. */
function isAwaitingResponse(socket: Duplex & { readonly _httpMessage?: unknown }): boolean {
  return (socket._httpMessage ?? undefined) !== undefined;
}
