/**
 * Forwarding of HTTP/1.1 over Node.js and undici: bodies with back-pressure in both directions, time limits, responses that
 * are reset rather than ended if they cannot be completed, connections that were upgraded, credentials that belong to a connection, and matching of paths
 * against configured routes. It does not depend on sealing, on relays or on their configuration.
 */
export { BodyReader } from './body-reader.js';
export { connectionAuthRefusal, withoutConnectionChallenges } from './connection-auth.js';
export { Deferred } from './deferred.js';
export { sendWholeResponse } from './early-response.js';
export { isEventStream } from './event-stream.js';
export {
  CONNECTION_TOO_OLD,
  MAX_CONNECTION_AGE_MS,
  connectionClients,
} from './connections/connection-client.js';
export type { ExchangeEvents, ExchangeFailure, ExchangeLimits } from './exchange-events.js';
export { Exchange } from './exchange.js';
export {
  BodyAbortedError,
  BodyIdleError,
  ClientGoneError,
  ConnectionAuthUnsupportedError,
  EXCHANGE_OVER,
  UpgradeUnsupportedError,
  isClientGone,
} from './http.errors.js';
export { IdleTimer } from './idle-timer.js';
export { lingeringClose } from './lingering-close.js';
export { countReceived, onBytesReceived } from './received-bytes.js';
export { hasRequestBody } from './request-framing.js';
export { resetConnection } from './reset-connection.js';
export { readingFirst } from './reading-first.js';
export { ResponseWriter } from './response-writer.js';
export { isSafeMethod } from './safe-methods.js';
export { judgePath, type JudgedPath } from './routes/request-path.js';
export { RouteList } from './routes/route-list.js';
export { JoinedEnds, type JoinOutcome } from './upgraded/joined-ends.js';
export type { OctetEnd, OctetEvents } from './upgraded/octet-end.js';
export { SocketEnd } from './upgraded/socket-end.js';
