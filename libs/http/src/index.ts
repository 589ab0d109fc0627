export { BodyReader } from './body-reader.js';
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
  MessageTooLargeError,
  RelayBusyError,
} from './http.errors.js';
export { HoldBudget, MessageHold } from './message-hold.js';
export { IdleTimer } from './idle-timer.js';
export { resetConnection } from './reset-connection.js';
export { ResponseSink } from './response-sink.js';
export { sendWholeAnswer } from './whole-answer.js';
