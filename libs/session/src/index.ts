export { Clock } from './clock.js';
export { SessionModule } from './session.module.js';
export { SessionService, type OpenSession } from './session.service.js';
export { SessionStore } from './session-store.js';
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
