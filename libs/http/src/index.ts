export { BodyLength, bodyBytesOf } from './body-length.js';
export { BodyReader } from './body-reader.js';
export { isEventStream } from './event-stream.js';
export { clientFields } from './client-fields.js';
export {
  Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
  type ExchangeLimits,
} from './exchange.js';
export {
  fieldValue,
  forwardedFields,
  withReplacedFields,
  withoutFields,
} from './forwarded-fields.js';
export {
  BodyAbortedError,
  BodyIdleError,
  ClientGoneError,
  MessageTooLargeError,
  MessageTooSlowError,
  RelayBusyError,
  isHoldLimit,
  isClientGone,
} from './http.errors.js';
export { HoldBudget, MessageHold, maxHoldMs } from './message-hold.js';
export { hasRequestBody } from './request-framing.js';
export { IdleTimer } from './idle-timer.js';
export { rawFieldValues } from './raw-fields.js';
export { canonicalPath, hasDotSegment } from './request-path.js';
export { resetConnection } from './reset-connection.js';
export { ResponseSink } from './response-sink.js';
export { RouteList } from './route-list.js';
export { endRequestEarly, sendWholeAnswer } from './whole-answer.js';
