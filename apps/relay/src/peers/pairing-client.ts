import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  PAIR_PATH,
  PAIR_RESPONSE_BYTES,
  PROBE_PATH,
  PROTOCOL_VERSION,
  PairingInitiator,
  RELAY_HEADER,
  RelayError,
} from '@relay/protocol';
import { Clock } from '@relay/session';
import {
  SenderSigner,
  sentClientIdHeader,
  signPairingRequests,
  verifyError,
  type ErrorStatement,
} from '@relay/signature';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';

import { INTERNAL_CODE } from '../errors/error-answers.js';
import { RelayLog } from '../observability/relay-log.js';
import { RelayMetrics, type PairingReason } from '../observability/relay-metrics.js';
import { TunnelFailedError, type TunnelFailureCode } from './outbound.errors.js';
import { PeerOrigins } from './peer-origin.js';
import { PeerSession } from './peer-session.js';
import { guardedLookup } from './refused-addresses.js';
import { OVERLOADED_STATUS } from './retry-rule.js';
import { overloaded } from './tunnel-failure.js';

const PAIR_TIMEOUT_MS = 10_000;
/** One more, where the peer says so: with a corrected clock, or a new key for one that it has seen or could not save. */
const MAX_TRIES = 2;

type PairAttempt =
  | { readonly session: PeerSession }
  | { readonly statement: ErrorStatement | undefined; readonly httpStatus: number };

/** The outbound role's side of pairing: the relay's own calls. protocol.md section 4. */
@Injectable()
export class PairingClient implements OnApplicationShutdown {
  private readonly http: AxiosInstance;
  private readonly agents: readonly [HttpAgent, HttpsAgent];
  /** What peers' clocks show more than ours, by origin; learnt from signed errors only. */
  private readonly clockOffsets = new Map<string, number>();

  constructor(
    private readonly signer: SenderSigner,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    @Inject(Clock) private readonly clock: Clock,
    peerOrigins: PeerOrigins,
  ) {
    const options = peerOrigins.areListed ? {} : { lookup: guardedLookup };
    this.agents = [new HttpAgent(options), new HttpsAgent(options)];
    this.http = axios.create({
      httpAgent: this.agents[0],
      httpsAgent: this.agents[1],
      maxRedirects: 0,
      maxContentLength: PAIR_RESPONSE_BYTES,
      responseType: 'arraybuffer',
      decompress: false,
      proxy: false,
      validateStatus: () => true,
      headers: { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' },
    });
    signPairingRequests(this.http, this.signer);
  }

  /** @throws TunnelFailedError with `forwarded: "no"`, logged */
  async pair(origin: string, reason: PairingReason): Promise<PeerSession> {
    const startedAt = performance.now();
    try {
      const session = await this.pairWithin(origin, MAX_TRIES);
      const ms = Math.round(performance.now() - startedAt);
      this.metrics.pairings.inc({ code: 'ok', reason });
      this.metrics.pairingSeconds.observe(ms / 1000);
      const exchange = session.sid.slice(0, 8);
      this.log.info('paired', { peer: origin, exchange, ms, reason });
      return session;
    } catch (error) {
      const code = error instanceof RelayError ? error.code : INTERNAL_CODE;
      this.metrics.pairings.inc({ code, reason });
      this.log.error('pairing failed', { peer: origin, code, reason, error });
      throw error;
    }
  }

  /** Whether a relay answers at this origin. */
  async probe(origin: string): Promise<boolean> {
    try {
      const { status } = await this.http.head(origin + PROBE_PATH, wholeCallLimit());
      return status === 200;
    } catch {
      // Not there, for whatever reason: the next probe asks again.
      return false;
    }
  }

  onApplicationShutdown(): void {
    for (const agent of this.agents) {
      agent.destroy();
    }
  }

  private async pairWithin(origin: string, tries: number): Promise<PeerSession> {
    const attempt = await this.pairOnce(origin);
    if ('session' in attempt) {
      return attempt.session;
    }
    const { statement, httpStatus } = attempt;
    if (tries > 1 && statement !== undefined && this.isWorthAnother(origin, statement)) {
      const reason = `the other relay stated ${statement.status}`;
      this.log.debug('pairing once more', { peer: origin, reason });
      return this.pairWithin(origin, tries - 1);
    }
    throw refusal(statement, httpStatus);
  }

  private async pairOnce(origin: string): Promise<PairAttempt> {
    const unixMs = this.clock.nowMs() + (this.clockOffsets.get(origin) ?? 0);
    const initiator = await PairingInitiator.begin(origin, Math.round(unixMs), undefined);
    const sentAtMs = this.clock.monotonicMs();
    const response = await this.send(origin, initiator.requestBody);
    const clientIdHeader = sentClientIdHeader(response.config);
    const relayHeader: unknown = response.headers[RELAY_HEADER];
    if (response.status !== 200 || relayHeader !== PROTOCOL_VERSION) {
      const statement =
        typeof relayHeader === 'string'
          ? verifyError(this.signer.secretKeys, clientIdHeader, relayHeader, response.status)
          : undefined;
      return { statement, httpStatus: response.status };
    }
    try {
      const paired = await initiator.complete(
        clientIdHeader,
        response.data,
        this.signer.secretKeys,
      );
      return { session: new PeerSession(paired, sentAtMs) };
    } catch (cause) {
      throw new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', REFUSED_MESSAGE, { cause });
    }
  }

  private async send(origin: string, body: Buffer): Promise<AxiosResponse<Buffer>> {
    try {
      return await this.http.post<Buffer>(origin + PAIR_PATH, body, wholeCallLimit());
    } catch (error) {
      throw unreachable(error);
    }
  }

  private isWorthAnother(origin: string, { status, unixMs }: ErrorStatement): boolean {
    if (status === 566) {
      this.clockOffsets.set(origin, unixMs - this.clock.nowMs());
    }
    return status === 566 || status === 565 || status === 568;
  }
}

const REFUSED_MESSAGE =
  'the other relay refused to pair: both must hold the same CLIENT_ID_SECRET, and its RELAY_AUDIENCE, ' +
  'where it is set, must list x-mte-upstream';
const NO_RELAY_MESSAGE = 'what answers at x-mte-upstream is no relay';

function refusal(statement: ErrorStatement | undefined, httpStatus: number): TunnelFailedError {
  if (statement?.status === OVERLOADED_STATUS) {
    return overloaded('no');
  }
  if (statement?.status === 563 || statement?.status === 568) {
    return new TunnelFailedError(
      'RELAY_PEER_STORE_UNAVAILABLE',
      'no',
      'the other relay cannot reach its session store',
    );
  }
  const isRelay = httpStatus >= 559 && httpStatus <= 569;
  return new TunnelFailedError(
    'RELAY_PAIR_REFUSED',
    'no',
    isRelay ? REFUSED_MESSAGE : NO_RELAY_MESSAGE,
    {
      cause: new Error(`pairing was answered with status ${httpStatus}`),
    },
  );
}

const TIMEOUT_CODES = new Set(['ECONNABORTED', 'ERR_CANCELED', 'ETIMEDOUT']);
/** An answer that is no pairing's: larger than one, for example. */
const BAD_ANSWER_CODE = 'ERR_BAD_RESPONSE';

/** axios' own limit ends with the head of an answer; this one covers the last byte too. */
function wholeCallLimit(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(PAIR_TIMEOUT_MS) };
}

/** An axios error holds the request with its headers; only its code and message go on. */
function unreachable(error: unknown): TunnelFailedError {
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  if (code === BAD_ANSWER_CODE) {
    const cause = new Error(`${code} ${message}`);
    return new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', NO_RELAY_MESSAGE, { cause });
  }
  const isTimeout = TIMEOUT_CODES.has(code);
  const failureCode: TunnelFailureCode = isTimeout
    ? 'RELAY_PEER_TIMEOUT'
    : 'RELAY_PEER_UNREACHABLE';
  return new TunnelFailedError(
    failureCode,
    'no',
    isTimeout ? 'the other relay did not answer in time' : 'the other relay cannot be reached',
    { cause: new Error(`${code} ${message}`) },
  );
}
