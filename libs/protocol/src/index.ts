export {
  parseClientIdHeader,
  formatClientIdHeader,
  type ClientIdHeader,
} from './client-id-header.js';
export { BodyLength, bodyBytesOf } from './body-length.js';
export { forwardedFields } from './forwarded-fields.js';
export { checkRequestHead, checkResponseHead } from './head-rules.js';
export { pairTranscript, type PairTranscript } from './key-exchange.js';
export { KeyRing } from './key-ring.js';
export { lengthPrefixed } from './length-prefixed.js';
export {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.js';
export { MessageOpener, type OpenedRecord } from './message-opener.js';
export { MessageSealer } from './message-sealer.js';
export {
  MAX_PAIR_REQUEST_BYTES,
  PAIR_RESPONSE_BYTES,
  decodePairRequest,
  type PairRequest,
} from './pair-message.js';
export { PairingInitiator, type PairedSession } from './pairing-initiator.js';
export { respondToPairing, type SessionTerms } from './pairing-responder.js';
export {
  HeadInvalidError,
  MessageTooLongError,
  MessageTruncatedError,
  PairConfirmInvalidError,
  PairKeyInvalidError,
  PairMessageMalformedError,
  RecordMalformedError,
  RecordOpenError,
  RelayHeaderMalformedError,
  SessionBlobInvalidError,
} from './protocol.errors.js';
export { MAX_CONTENT_BYTES } from './record.js';
export {
  CLIENT_ID_HEADER,
  PAIR_PATH,
  PROBE_PATH,
  PROTOCOL_VERSION,
  RELAY_HEADER,
  TUNNEL_PATH,
} from './relay-headers.js';
export { deriveSecretKeys, type SecretKeys } from './secret-keys.js';
export {
  BLOB_BYTES,
  BLOB_HEAD_BYTES,
  EPOCH_BYTES,
  openSessionBlob,
  sealSessionBlob,
  type StoredSession,
} from './session-blob.js';
export { deriveRequestKey, deriveResponseKey, type SessionKeys } from './session-keys.js';
export {
  SALT_BYTES,
  exchangeName,
  formatResponseHeader,
  formatTunnelHeader,
  isResponseHeader,
  parseTunnelHeader,
  type MessageType,
  type TunnelHeader,
} from './tunnel-header.js';
