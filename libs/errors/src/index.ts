/**
 * What all errors of the relay have in common: a base class with a stable code, and the registry that defines, once for each
 * code, what a client or another relay receives. This library does not import any other library of
 * the relay.
 */
export { ERROR_CONTENT_TYPE, errorBody } from './error-body.js';
export {
  ERRORS,
  INTERNAL_CODE,
  clientOutcome,
  relayOutcome,
  type ErrorCode,
} from './error-registry.js';
export type { Forwarded } from './forwarded.js';
export { NeverForwardedError } from './never-forwarded.error.js';
export { RelayError } from './relay-error.js';
export { RelayStatus } from './relay-status.js';
