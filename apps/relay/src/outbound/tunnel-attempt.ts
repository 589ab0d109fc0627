import type { ExchangeFailure, ExchangeLimits } from '@relay/http';
import type { SignedError } from '@relay/signature';

import type { BufferBudget } from '../admission/buffer-budget.js';
import type { ClientRequest } from '../client/client-request.js';
import type { PeerAddress } from '../peers/peer-address.js';
import type { PeerClient } from '../peers/peer-client.js';
import type { SequenceReservation } from '../peers/peer-session.js';
import type { ClientResponse } from './client-response.js';
import type { EncodeOptions } from './encode-options.js';

/** Why a stream was provably not forwarded, and never will be. protocol.md section 11.7. */
export type UnforwardedReason =
  /** No record with its head was handed to the connection. */
  | 'not-sent'
  /** The channel drains, and takes no stream with this number. */
  | 'not-forwarded'
  /** The peer has no place. */
  | 'refused'
  /** The peer says that the request breaks a rule. */
  | 'rejected';

/** How one attempt ended. */
export type AttemptOutcome =
  /** The client has its whole response. */
  | { readonly kind: 'completed'; readonly status: number }
  /** The response to the client had begun, and was reset. */
  | { readonly kind: 'cut-off'; readonly cause: Error }
  /** An error that the peer signed for this message. */
  | { readonly kind: 'signed-error'; readonly signedError: SignedError }
  /** An outer response that is neither sealed nor signed: it proves nothing. */
  | { readonly kind: 'unauthenticated'; readonly cause: Error }
  /** A sealed response that did not reach its end, or is larger than this relay buffers: the peer is not at fault. */
  | { readonly kind: 'incomplete'; readonly failure: ExchangeFailure }
  /** No outer response. */
  | { readonly kind: 'failed'; readonly failure: ExchangeFailure }
  /** A stream that was not forwarded, and never will be. */
  | { readonly kind: 'unforwarded'; readonly reason: UnforwardedReason }
  /** A stream that the peer ended without a response, or with one that breaks a rule. */
  | { readonly kind: 'given-up'; readonly cause: Error };

/** What all attempts for one client request share. */
export interface AttemptContext {
  readonly address: PeerAddress;
  readonly request: ClientRequest;
  readonly options: EncodeOptions;
  readonly response: ClientResponse;
  readonly peerClient: PeerClient;
  readonly bufferBudget: BufferBudget;
  readonly limits: ExchangeLimits;
}

/** A body: as a whole, or in chunks. */
export type AttemptBody = Buffer | AsyncIterable<Buffer>;

/** One attempt to carry a client's request to the peer and its response back, whichever way. */
export interface TunnelAttempt {
  /** Name of the exchange, the same in both relays' logs. */
  readonly exchange: string;
  /** The sequence number that the attempt consumes, if it is a message of its own. */
  readonly reservation: SequenceReservation | undefined;
  /** Bytes that have been sealed so far, and that have been received of the response. */
  readonly sealedBytes: { readonly out: number; readonly in: number };
  /** Sends the request. @returns how the attempt ended; it never rejects */
  run(): Promise<AttemptOutcome>;
  /** Lets the peer continue after the client has caught up. */
  resume(): void;
  /** Gives up, whatever the phase. */
  abort(reason: Error): void;
}
