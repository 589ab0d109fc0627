import { randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { RelayStatus } from '@relay/errors';
import { rawFieldValues } from '@relay/fields';
import { Deferred, Exchange, type ExchangeEvents, type ExchangeFailure } from '@relay/http';
import {
  CLIENT_ID_HEADER,
  MessageOpener,
  OUTER_REQUEST_FIELDS,
  RELAY_HEADER,
  SALT_BYTES,
  TUNNEL_PATH,
  decodeResponseHead,
  deriveResponseKey,
  formatTunnelHeader,
  isResponseHeader,
} from '@relay/protocol';
import type { SignedError } from '@relay/signature';

import { CONTENT_ENCODING, codedResponse } from './coded-response.js';
import type { PeerAddress } from './peer-address.js';
import { PeerClient } from './peer-client.js';
import { UnsignedStatusError } from './intermediary-response.js';
import { exchangeFailure, signedFailure, untrustedResponse } from './peer-failure.js';
import type { SequenceReservation } from './peer-session.js';
import { TunnelFailedError } from './peers.errors.js';

/** As for a pairing, which a failed check leads to. protocol.md section 9. */
const CHECK_TIMEOUT_MS = 10_000;
const NO_CONTENT = 204;
const EMPTY = Buffer.alloc(0);
const FIELDS = Object.entries(OUTER_REQUEST_FIELDS).flat();

const GONE_STATUSES: ReadonlySet<number> = new Set([
  RelayStatus.SESSION_EXPIRED,
  RelayStatus.SESSION_UNKNOWN,
  // A check that is late, although its response has come in time: a clock was stepped, and only another session has the right age.
  RelayStatus.DECODE_FAILED,
]);

/** What a check shows of its session. */
export type CheckResult =
  /** The peer has it. */
  | { readonly kind: 'alive' }
  /** The peer does not have it any more, or it is of no use. */
  | { readonly kind: 'gone' }
  /** Nothing; another check may show more. */
  | { readonly kind: 'unclear'; readonly failure: Error }
  /** Nothing, and another check would not either. */
  | { readonly kind: 'failed'; readonly failure: Error };

/** Asks peers whether they still have a session. protocol.md section 8. */
@Injectable()
export class SessionChecker {
  constructor(private readonly peerClient: PeerClient) {}

  /**
   * Sends one check, which consumes the reserved number. It never rejects.
   *
   * @param connections - whether it may be sent on a connection that was used before
   */
  check(
    address: PeerAddress,
    reservation: SequenceReservation,
    connections: 'kept' | 'fresh',
  ): Promise<CheckResult> {
    return new CheckExchange(this.peerClient, address, reservation).run(connections);
  }
}

class CheckExchange implements ExchangeEvents {
  private readonly result = new Deferred<CheckResult>();
  private readonly exchange: Exchange;
  private readonly relayHeader: string;
  private readonly clientIdHeader: string;
  private opener: MessageOpener | undefined;
  private head: Buffer = EMPTY;

  constructor(
    private readonly peerClient: PeerClient,
    private readonly address: PeerAddress,
    private readonly reservation: SequenceReservation,
  ) {
    const { session, sequence, ageSeconds } = reservation;
    const fields = { sid: session.sid, sequence, ageSeconds, type: 'check' } as const;
    this.relayHeader = formatTunnelHeader(fields, randomBytes(SALT_BYTES));
    this.clientIdHeader = address.known.sign(this.relayHeader);
    const limits = { responseTimeoutMs: CHECK_TIMEOUT_MS, idleTimeoutMs: CHECK_TIMEOUT_MS };
    this.exchange = new Exchange(limits, this);
  }

  run(connections: 'kept' | 'fresh'): Promise<CheckResult> {
    const { kept, fresh } = this.peerClient.connectionsTo(this.address);
    this.exchange.start(connections === 'kept' ? kept : fresh, {
      origin: this.address.origin,
      method: 'POST',
      path: TUNNEL_PATH,
      headers: [RELAY_HEADER, this.relayHeader, CLIENT_ID_HEADER, this.clientIdHeader, ...FIELDS],
      body: EMPTY,
      fresh,
    });
    // The limits of an exchange are on silence: this one covers the whole check, which everything that matters waits for.
    const limit = setTimeout(() => {
      const cause = new Error(`the check was not complete after ${CHECK_TIMEOUT_MS} ms`);
      this.result.resolve({ kind: 'failed', failure: checkTimeout(cause) });
      this.exchange.abort(cause);
    }, CHECK_TIMEOUT_MS);
    return this.result.promise.finally(() => {
      clearTimeout(limit);
    });
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    const [relayHeader, another] = rawFieldValues(rawFields, RELAY_HEADER);
    const isSingle = relayHeader !== undefined && another === undefined;
    const { keys } = this.reservation.session;
    if (status === 200 && isSingle && isResponseHeader(relayHeader)) {
      const coded = codedResponse(rawFieldValues(rawFields, CONTENT_ENCODING));
      if (coded === undefined) {
        this.opener = new MessageOpener(deriveResponseKey(keys, this.relayHeader, relayHeader));
      } else {
        this.result.resolve({ kind: 'failed', failure: untrustedResponse(coded, 'no') });
        this.exchange.abort(coded);
      }
      return;
    }
    const signedError = isSingle
      ? this.address.known.verifyError(this.clientIdHeader, keys, relayHeader, status)
      : undefined;
    const cause = new UnsignedStatusError(status);
    this.result.resolve(
      signedError === undefined
        ? { kind: 'failed', failure: untrustedResponse(cause, 'no') }
        : resultOf(signedError),
    );
    this.exchange.abort(cause);
  }

  onData(chunk: Buffer): boolean {
    try {
      for (const { content } of this.opener?.push(chunk) ?? []) {
        this.head = content;
      }
    } catch (error) {
      this.exchange.abort(error as Error);
    }
    return true;
  }

  onEnd(): void {
    try {
      this.opener?.finish();
      const { status, fields } = decodeResponseHead(this.head);
      if (status !== NO_CONTENT || fields.length > 0) {
        throw new Error('the response is not that to a check');
      }
      this.result.resolve({ kind: 'alive' });
    } catch (error) {
      this.result.resolve({ kind: 'failed', failure: untrustedResponse(error as Error, 'no') });
    }
  }

  onFailure(failure: ExchangeFailure): void {
    const kind = failure.kind === 'reset' ? 'unclear' : 'failed';
    this.result.resolve({
      kind,
      failure:
        failure.kind === 'aborted'
          ? untrustedResponse(failure.cause, 'no')
          : exchangeFailure(failure, 'no'),
    });
  }
}

function checkTimeout(cause: Error): TunnelFailedError {
  const message = 'the other relay did not respond to a check in time';
  return new TunnelFailedError('RELAY_PEER_TIMEOUT', 'no', message, { cause });
}

function resultOf(signedError: SignedError): CheckResult {
  if (GONE_STATUSES.has(signedError.status)) {
    return { kind: 'gone' };
  }
  const failure = signedFailure(signedError, 'no');
  return { kind: signedError.status === RelayStatus.REPLAYED ? 'unclear' : 'failed', failure };
}
