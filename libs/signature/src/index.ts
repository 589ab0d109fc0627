/**
 * The signatures of the relay headers: of senders over pairing and tunnel requests, and of the inbound role over its
 * errors. This library promises that a signature verifies for one request only, that MACs are compared in constant
 * time, and that a request counts as verified only if its sender holds an accepted CLIENT_ID_SECRET. It does not detect replays; the session store does. docs/protocol.md sections 2, 4, 7 and 8.
 */
export { signError, verifyError, type SignedError } from './error-signature.js';
export { readPairRequest } from './pair-request.js';
export { PairSenderInterceptor } from './pair-sender.interceptor.js';
export { verifySender, signSender, type VerifiedSender } from './sender-signature.js';
export { RelayName } from './relay-name.js';
export { SenderSigner } from './sender-signer.js';
export { sentClientIdHeader, signPairingRequests } from './sign-pairing.js';
export {
  RelayHeaderMissingError,
  SenderInvalidError,
  SenderSelfError,
} from './signature.errors.js';
export { TunnelSenderInterceptor } from './tunnel-sender.interceptor.js';
export {
  checkedPairHeaders,
  verifiedRequest,
  verifiedRequestFor,
  type VerifiedOpening,
  type VerifiedPairRequest,
  type VerifiedTunnelRequest,
} from './verified-request.js';
