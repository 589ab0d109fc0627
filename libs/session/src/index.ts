export { SessionModule } from './session.module.js';
export { SessionService, type OpenSession } from './session.service.js';
export { type MarkOutcome, SessionStore } from './session-store.js';
export { type StoreDescription, StoreHealth, type StoreReport } from './store-health.js';
export { StoreMeter, type StoreOperation } from './store-meter.js';
export {
  MarkFailedError,
  MessageReplayedError,
  PairNotSavedError,
  PairReplayedError,
  PairStoreUnavailableError,
  SessionExpiredError,
  SessionStoreUnavailableError,
  SessionUnknownError,
} from './session.errors.js';
