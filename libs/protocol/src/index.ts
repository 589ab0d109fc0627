/**
 * The relay protocol of docs/protocol.md as a library: it derives keys from the shared secret, pairs two relays,
 * encodes and decodes the relay headers, message heads and pairing bodies, seals and opens messages record by record,
 * and seals sessions for the store. It knows no framework, socket, clock or store: the caller supplies the bytes and
 * the time, and only random values come from node:crypto. Whatever bytes a peer sends, they are either accepted under
 * the rules of the specification or rejected with a RelayError, whose code is stable and whose message contains no
 * secret; no content of a record is returned before it has been authenticated; inputs are never modified; and no sealer
 * uses a nonce twice.
 *
 * @packageDocumentation
 */

export {
  parseClientIdHeader,
  formatClientIdHeader,
  type ClientIdHeader,
} from './client-id-header.js';
export { BodyLength, bodyBytesOf } from './body-length.js';
export {
  formatChannelHeader,
  parseChannelHeader,
  type ChannelHeader,
  type ChannelHeaderFields,
  type ChannelType,
} from './channel-header.js';
export { forwardedFields } from './forwarded-fields.js';
export { MAX_FIELDS, checkRequestHead, checkResponseHead } from './head-rules.js';
export {
  OUTER_CACHE_CONTROL,
  OUTER_REQUEST_FIELDS,
  OUTER_RESPONSE_FIELDS,
} from './outer-fields.js';
export { pairTranscript, type PairTranscript } from './key-exchange.js';
export { AcceptedKeys, KeyRing } from './key-ring.js';
export { lengthPrefixed } from './length-prefixed.js';
export {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.js';
export { MessageOpener } from './message-opener.js';
export { MessageSealer } from './message-sealer.js';
export {
  MAX_CLOCK_SKEW_MS,
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
export { RecordOpener, type OpenedRecord } from './record-opener.js';
export { RecordSealer } from './record-sealer.js';
export { MAX_CONTENT_BYTES } from './record.js';
export {
  CHANNEL_PATH,
  CHANNEL_SUBPROTOCOL,
  CLIENT_ADDRESS_FIELD,
  CLIENT_ID_HEADER,
  CLIENT_NAME_FIELD,
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
  audienceHash,
  openSessionBlob,
  sealSessionBlob,
  type StoredSession,
} from './session-blob.js';
export {
  deriveProof,
  deriveRequestKey,
  deriveResponseKey,
  type SessionKeys,
} from './session-keys.js';
export {
  MAX_AGE_SECONDS,
  MAX_SEQUENCE,
  SALT_BYTES,
  exchangeName,
  formatResponseHeader,
  formatTunnelHeader,
  isResponseHeader,
  parseTunnelHeader,
  type MessageType,
  type TunnelHeader,
  type TunnelHeaderFields,
  type TunnelRequestType,
} from './tunnel-header.js';
export {
  MAX_UPGRADE_BODY_BYTES,
  decodeSwitching,
  decodeUpgradeRequest,
  encodeSwitching,
  encodeUpgradeRequest,
  isProtocol,
  isSameProtocol,
  type UpgradeRequest,
} from './upgrade-heads.js';
