import type { IncomingMessage, ServerResponse } from 'node:http';

import { lingeringClose } from '@relay/http';

/** The parser of a connection, by the names that Node.js gives its parts. They are not documented. */
interface ConnectionParser {
  /** Whether it reads the connection itself, and so reports each read. */
  readonly _consumed?: boolean;
  /** The bytes of the current read. */
  getCurrentBuffer?(): Buffer;
  readonly constructor: { readonly kOnExecute?: number };
  /** Called after each read with the bytes of it that were parsed, or with an error. */
  [kOnExecute: number]: ((parsed: number | Error) => void) | undefined;
}

/**
 * Ends the connection of a request that offers an upgrade, if more was read behind it. Node.js stops parsing at the end of such
 * a request, and if nobody takes the offer up, it drops the rest of that read and goes on with the next: in the middle of the
 * request that was pipelined there. Without this, that request would never be answered, and what is left of it taken for another
 * one. Its client learns from `connection: close`, or from the end of the connection, that it has not run. RFC 9112 section 9.6.
 *
 * Call it when Node.js emits the request. If its parser is not as it was in Node.js 20 to 26, the connection ends in any case.
 */
export function endConnectionIfMoreFollows(
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { parser } = request.socket as { readonly parser?: ConnectionParser };
  const key = parser?.constructor.kOnExecute;
  const onExecute = key === undefined ? undefined : parser?.[key];
  if (parser?._consumed !== true || key === undefined || onExecute === undefined) {
    response.shouldKeepAlive = false;
    return;
  }
  parser[key] = (parsed) => {
    // The body may continue in later reads.
    if (request.complete) {
      parser[key] = onExecute;
      if (parsed !== parser.getCurrentBuffer?.().length) {
        endConnectionAfter(request, response);
      }
    }
    onExecute(parsed);
  };
}

/** Also if the response has begun, or has ended, before the request did. */
function endConnectionAfter({ socket }: IncomingMessage, response: ServerResponse): void {
  const end = (): void => {
    // Whatever else arrives would be kept as requests that nobody answers.
    lingeringClose(socket);
    socket.destroySoon();
  };
  if (response.writableFinished) {
    end();
  } else {
    response.shouldKeepAlive = false;
    // Before Node.js passes the connection on to the next response.
    response.prependOnceListener('finish', end);
  }
}
