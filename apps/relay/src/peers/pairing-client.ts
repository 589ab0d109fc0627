import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { INTERNAL_CODE, RelayError, RelayStatus } from '@relay/errors';
import { Clock } from '@relay/clock';
import {
  OUTER_REQUEST_FIELDS,
  PAIR_PATH,
  PAIR_RESPONSE_BYTES,
  PROBE_PATH,
  PROTOCOL_VERSION,
  PairingInitiator,
  RELAY_HEADER,
} from '@relay/protocol';
import {
  sentClientIdHeader,
  signPairingRequests,
  verifyError,
  type SenderSigner,
  type SignedError,
} from '@relay/signature';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';

import {
  NotConnectedError,
  PairingStatusError,
  TunnelFailedError,
  type TunnelFailureCode,
  peerOverloadedError,
} from './peers.errors.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics, type PairingReason } from '../telemetry/relay-metrics.js';
import { Traces } from '../traces/traces.js';
import { CONTENT_ENCODING, codedResponse } from './coded-response.js';
import { FirstPairings } from './first-pairings.js';
import { intermediaryResponded, isRelayStatus, meansUnreached } from './intermediary-response.js';
import { PairingConnections, type PairingConnection } from './pairing-connection.js';
import { untrustedResponse } from './peer-failure.js';
import { ownCallAttributes } from './own-call.js';
import type { PeerAddress } from './peer-address.js';
import { PeerOrigins } from './peer-origin.js';
import { PeerProxies } from './peer-proxies.js';
import { PeerSession } from './peer-session.js';
import { guardedLookup } from './refused-addresses.js';

const PAIR_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 2;
/** More than a content coding adds to bytes that cannot be compressed. With less, a coded response would be too long to be seen. */
const MAX_CODING_BYTES = 64;

type PairAttempt =
  | { readonly session: PeerSession }
  | { readonly signedError: SignedError | undefined; readonly httpStatus: number };

/** The outbound role's side of pairing: the relay's own calls. protocol.md section 4. */
@Injectable()
export class PairingClient implements OnApplicationShutdown {
  private readonly http: AxiosInstance;
  private readonly connections: PairingConnections;
  private readonly firstPairings: FirstPairings;
  /** How far the clocks of peers are ahead of this relay's, in ms, by origin. Taken from signed errors only. */
  private readonly clockOffsets = new Map<string, number>();

  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    @Inject(Clock) private readonly clock: Clock,
    peerOrigins: PeerOrigins,
    private readonly proxies: PeerProxies,
    private readonly traces: Traces,
  ) {
    this.connections = new PairingConnections(peerOrigins.areListed ? undefined : guardedLookup);
    this.firstPairings = new FirstPairings(clock);
    this.http = axios.create({
      maxRedirects: 0,
      maxContentLength: PAIR_RESPONSE_BYTES + MAX_CODING_BYTES,
      responseType: 'arraybuffer',
      decompress: false,
      proxy: false,
      validateStatus: () => true,
      headers: OUTER_REQUEST_FIELDS,
    });
    signPairingRequests(this.http);
  }

  /**
   * Pairs with a relay, and logs the result.
   *
   * @param network - that of the client whose request needs a first pairing
   * @throws TunnelFailedError with `forwarded: "no"`
   */
  async pair(address: PeerAddress, reason: PairingReason, network = ''): Promise<PeerSession> {
    const pair = (): Promise<PeerSession> => this.pairAndLog(address, reason);
    return reason === 'first' ? this.firstPairings.run(network, pair) : pair();
  }

  /** Whether a relay responds at this origin. */
  async probe(address: PeerAddress): Promise<boolean> {
    try {
      const signal = wholeCallLimit();
      const connection = await this.open(address, signal);
      const { status } = await this.http.head(address.origin + PROBE_PATH, {
        ...connection,
        signal,
      });
      return status === 200;
    } catch {
      // The reason does not matter: there will be another probe.
      return false;
    }
  }

  /**
   * How far the clock of a peer is ahead of this relay's, in ms. Only known of peers that have refused a pairing for that, and have
   * signed their own time.
   */
  clockOffsetMs(origin: string): number | undefined {
    return this.clockOffsets.get(origin);
  }

  onApplicationShutdown(): void {
    this.connections.close();
  }

  private async pairAndLog(address: PeerAddress, reason: PairingReason): Promise<PeerSession> {
    const { origin } = address;
    const startedAt = performance.now();
    const call = this.traces.call('POST', origin, ownCallAttributes(address, 'pairing'));
    try {
      const session = await this.pairWithin(address, MAX_ATTEMPTS);
      const ms = Math.round(performance.now() - startedAt);
      call?.end({ status: 200 });
      this.metrics.pairings.inc({ code: 'ok', reason });
      this.metrics.pairingSeconds.observe(ms / 1000);
      const exchange = session.sid.slice(0, 8);
      this.log.info('paired', { peer: origin, exchange, ms, reason });
      return session;
    } catch (error) {
      const code = error instanceof RelayError ? error.code : INTERNAL_CODE;
      call?.end({ code });
      this.metrics.pairings.inc({ code, reason });
      this.log.error('pairing failed', { peer: origin, code, reason, error });
      throw error;
    }
  }

  private async pairWithin(address: PeerAddress, attempts: number): Promise<PeerSession> {
    const attempt = await this.pairOnce(address);
    if ('session' in attempt) {
      return attempt.session;
    }
    const { signedError, httpStatus } = attempt;
    const { origin } = address;
    if (attempts > 1 && signedError !== undefined && this.mayPairAgain(origin, signedError)) {
      const reason = `the other relay signed an error with status ${signedError.status}`;
      this.log.debug('pairing again', { peer: origin, reason });
      return this.pairWithin(address, attempts - 1);
    }
    throw refusal(signedError, httpStatus);
  }

  private async pairOnce(address: PeerAddress): Promise<PairAttempt> {
    const { origin } = address;
    const { signer } = address.known;
    const signal = wholeCallLimit();
    const connection = await this.connect(address, signal);
    const unixMs = this.clock.nowMs() + (this.clockOffsets.get(origin) ?? 0);
    const initiator = await PairingInitiator.begin(origin, Math.round(unixMs), undefined);
    const sentAtMs = this.clock.monotonicMs();
    const response = await this.send(origin, initiator.requestBody, {
      ...connection,
      signer,
      signal,
    });
    const respondedAtMs = this.clock.monotonicMs();
    const clientIdHeader = sentClientIdHeader(response.config);
    const relayHeader: unknown = response.headers[RELAY_HEADER];
    if (response.status !== 200 || relayHeader !== PROTOCOL_VERSION) {
      const signedError =
        typeof relayHeader === 'string'
          ? verifyError(signer.secretKeys, clientIdHeader, relayHeader, response.status)
          : undefined;
      return { signedError, httpStatus: response.status };
    }
    const coding: unknown = response.headers[CONTENT_ENCODING];
    const coded = codedResponse(typeof coding === 'string' ? [coding] : []);
    if (coded !== undefined) {
      throw untrustedResponse(coded, 'no');
    }
    try {
      const paired = await initiator.complete(clientIdHeader, response.data, signer.secretKeys);
      return { session: new PeerSession(paired, sentAtMs, respondedAtMs) };
    } catch (cause) {
      throw new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', REFUSED_MESSAGE, { cause });
    }
  }

  /** Connects before the key is made: an origin that cannot be connected to is not worth one. */
  private async connect(address: PeerAddress, signal: AbortSignal): Promise<PairingConnection> {
    try {
      return await this.open(address, signal);
    } catch (error) {
      throw unreachable(error, NotConnectedError);
    }
  }

  private open({ origin, known }: PeerAddress, signal: AbortSignal): Promise<PairingConnection> {
    return this.connections.open(origin, this.proxies.routeTo(origin, known.entry.proxy), signal);
  }

  private async send(
    origin: string,
    body: Buffer,
    options: PairingConnection & { readonly signer: SenderSigner; readonly signal: AbortSignal },
  ): Promise<AxiosResponse<Buffer>> {
    try {
      return await this.http.post<Buffer>(origin + PAIR_PATH, body, options);
    } catch (error) {
      throw unreachable(error);
    }
  }

  private mayPairAgain(origin: string, { status, unixMs }: SignedError): boolean {
    if (status === RelayStatus.SENDER_REFUSED) {
      this.clockOffsets.set(origin, unixMs - this.clock.nowMs());
    }
    return RETRYABLE_STATUSES.has(status);
  }
}

/** Statuses after which a second attempt can succeed: with a corrected clock, or with a new key and thus a new session id. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([
  RelayStatus.SENDER_REFUSED,
  RelayStatus.REPLAYED,
  RelayStatus.SESSION_NOT_SAVED,
]);

const REFUSED_MESSAGE =
  'the other relay refused to pair: both must hold the same secret for each other, and x-mte-upstream must be ' +
  'in its RELAY_AUDIENCE, if it is set, or be a tenant that admits this relay';
const NO_RELAY_MESSAGE = 'what responds at x-mte-upstream is not a relay';

function refusal(signedError: SignedError | undefined, httpStatus: number): TunnelFailedError {
  if (signedError?.status === RelayStatus.OVERLOADED) {
    return peerOverloadedError('no');
  }
  if (
    signedError?.status === RelayStatus.STORE_UNAVAILABLE ||
    signedError?.status === RelayStatus.SESSION_NOT_SAVED
  ) {
    return new TunnelFailedError(
      'RELAY_PEER_STORE_UNAVAILABLE',
      'no',
      'the other relay cannot reach its session store',
    );
  }
  const cause = new PairingStatusError(httpStatus, signedError !== undefined);
  if (isRelayStatus(httpStatus)) {
    return new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', REFUSED_MESSAGE, { cause });
  }
  // A gateway in front of a relay that is gone: the relay may be back at any moment.
  if (meansUnreached(httpStatus)) {
    const message = intermediaryResponded(httpStatus);
    return new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', message, { cause });
  }
  const message = `${NO_RELAY_MESSAGE}: it gave status ${httpStatus}`;
  return new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', message, { cause });
}

const TIMEOUT_CODES = new Set(['ABORT_ERR', 'ECONNABORTED', 'ERR_CANCELED', 'ETIMEDOUT']);
/** The code of axios for a response that it rejects, such as one that is larger than any response to a pairing. */
const BAD_RESPONSE_CODE = 'ERR_BAD_RESPONSE';

/** The timeout of axios ends with the head of the response. This limit covers everything from the connection to its end. */
function wholeCallLimit(): AbortSignal {
  return AbortSignal.timeout(PAIR_TIMEOUT_MS);
}

/** Keeps only the code and the message of an axios error, because the error contains the request with its headers. */
function unreachable(error: unknown, Failure = TunnelFailedError): TunnelFailedError {
  if (error instanceof NotConnectedError) {
    return error;
  }
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  if (code === BAD_RESPONSE_CODE) {
    const cause = new Error(`${code} ${message}`);
    return new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', NO_RELAY_MESSAGE, { cause });
  }
  const isTimeout = TIMEOUT_CODES.has(code);
  const failureCode: TunnelFailureCode = isTimeout
    ? 'RELAY_PEER_TIMEOUT'
    : 'RELAY_PEER_UNREACHABLE';
  return new Failure(
    failureCode,
    'no',
    isTimeout ? 'the other relay did not respond in time' : 'the other relay cannot be reached',
    { cause: new Error(`${code} ${message}`) },
  );
}
