/**
 * The sessions of the inbound role: created by pairing, opened for every message, and kept in Redis or in the memory of
 * one process. This library promises that a session is sealed at rest and can be opened only for its sender, that all
 * replicas together let a sequence number of a session be used at most once, that an id is killed before it is reported
 * as unknown, and that a store that does not reply is reported as unavailable, never as one without the session.
 * docs/protocol.md sections 4, 5, 7 and, for what a shared Redis cannot promise, 10. It lends its connection to what replicas
 * share besides sessions.
 */
export { Audiences } from './audiences.js';
export { SessionModule } from './session.module.js';
export { SessionService, type OpenSession, type SessionUse } from './session.service.js';
export { type MarkOutcome, type MessageNumbers, SessionStore } from './session-store.js';
export type { RedisScript } from './redis-scripts.js';
export { SharedRedis } from './shared-redis.js';
export { type StoreDescription, StoreHealth, type StoreReport } from './store-health.js';
export { StoreMeter, type StoreOperation } from './store-meter.js';
export {
  AudienceRefusedError,
  MarkFailedError,
  MessageReplayedError,
  PairNotSavedError,
  PairReplayedError,
  PairStoreUnavailableError,
  SessionExpiredError,
  SessionRefusedError,
  SessionStoreUnavailableError,
  SessionUnknownError,
} from './session.errors.js';
