export { signError, verifyError, type SignedError } from './error-signature.js';
export { readPairRequest } from './pair-request.js';
export { PairSenderInterceptor } from './pair-sender.interceptor.js';
export { verifySender, signSender, type VerifiedSender } from './sender-signature.js';
export { SenderSigner } from './sender-signer.js';
export { sentClientIdHeader, signPairingRequests } from './sign-pairing.js';
export { RelayHeaderMissingError, SenderInvalidError } from './signature.errors.js';
export { TunnelSenderInterceptor } from './tunnel-sender.interceptor.js';
export {
  verifiedRequest,
  verifiedRequestFor,
  type VerifiedPairRequest,
  type VerifiedTunnelRequest,
} from './verified-request.js';
