import type { Duplex } from 'node:stream';

import { Injectable } from '@nestjs/common';
import type { ErrorCode, Forwarded } from '@relay/errors';

import { Traces } from '../traces/traces.js';
import { RateLimiter } from '../admission/rate-limiter.js';
import { RelayLog, type LogFields } from './relay-log.js';
import { RelayMetrics } from './relay-metrics.js';
import { RequestRecord, type Role } from './request-record.js';
import { endConnection, endTrace } from './request-traces.js';
import { senderNetwork } from './sender-network.js';
import { traceIdOf } from './trace-id.js';

/**
 * Log lines a minute for refused senders of one network that have not authenticated themselves: a flood of them must not fill a
 * disk. Only lines are limited, never requests: an authenticated sender behind the same address, such as a load balancer's, is
 * not affected by how many others were refused.
 */
const UNAUTHENTICATED_LINES_PER_MINUTE = 100;

/**
 * Refusals that a flood causes although each sender is authentic, or appears to be: anybody on the path can replay what a relay
 * has signed, a relay that is busy refuses as fast as its clients retry, and some clients wait to be asked for credentials.
 * Their lines are limited as well, for each code.
 */
const FLOOD_CODES: ReadonlySet<ErrorCode> = new Set([
  'RELAY_MESSAGE_REPLAYED',
  'RELAY_PAIR_REPLAYED',
  'RELAY_OVERLOADED',
  'RELAY_PAIR_LIMIT',
  'RELAY_BUSY',
  'RELAY_CLIENT_LIMITED',
  'RELAY_PROXY_AUTH_REQUIRED',
]);
const FLOOD_LINES_PER_MINUTE = 100;

const CLOCK = { monotonicMs: () => performance.now() };

/** How a request ended. */
export interface RequestEnd {
  /** The status of the response. */
  readonly status?: number | undefined;
  readonly code?: ErrorCode | undefined;
  readonly forwarded?: Forwarded | undefined;
  readonly error?: unknown;
}

/** What of a request its trace needs. */
interface BegunRequest {
  readonly method: string;
  /** With names in lower case. */
  readonly fields: readonly string[];
}

/** The end of a request that received an error response. */
export interface Refusal extends RequestEnd {
  readonly status: number;
  readonly code: ErrorCode;
}

/** The codes of requests that no controller has seen. */
export type EarlyCode =
  | 'RELAY_REQUEST_INVALID'
  | 'RELAY_REQUEST_TOO_LARGE'
  | 'RELAY_REQUEST_TIMEOUT'
  | 'RELAY_METHOD_UNSUPPORTED'
  | 'RELAY_VERSION_UNSUPPORTED'
  | 'RELAY_EXPECTATION_FAILED';

/** Is told of every request that has ended. @param ms - how long it took */
export type RequestObserver = (record: RequestRecord, end: RequestEnd, ms: number) => void;

/** A request that was refused before it was routed, or could not be read at all. */
export interface EarlyRefusal {
  /** As in the response. */
  readonly requestId: string;
  /** `none` if not even the head could be read. */
  readonly role: Role;
  readonly code: EarlyCode;
  readonly status: number;
  readonly error?: Error;
}

/** Writes the one log line that every request ends with, and counts the request. */
@Injectable()
export class RequestReports {
  private readonly unauthenticated = new RateLimiter(UNAUTHENTICATED_LINES_PER_MINUTE, CLOCK);
  private readonly floods = new RateLimiter(FLOOD_LINES_PER_MINUTE, CLOCK);
  private observer: RequestObserver | undefined;

  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    private readonly traces: Traces,
  ) {}

  /** Registers the one that is told of every request that has ended. */
  observe(observer: RequestObserver): void {
    this.observer = observer;
  }

  /** The head of a request has been read: from here on, the request belongs to a trace. */
  begun(record: RequestRecord, { method, fields }: BegunRequest): void {
    const { startedAtMs } = record;
    record.trace = this.traces.request({ method, fields, startedAtMs });
    record.traceId = record.trace === undefined ? traceIdOf(fields) : record.trace.traceId;
  }

  /** The client or peer has received its response, whatever its status. */
  completed(record: RequestRecord, end: RequestEnd): void {
    const ms = this.end(record, end);
    this.log.info('request completed', lineOf(record, end, ms));
  }

  /**
   * A connection has ended after its upgrade. The request for it was reported when it was upgraded.
   *
   * @param ms - how long it had been upgraded
   */
  connectionEnded(record: RequestRecord, end: RequestEnd, ms: number): void {
    this.metrics.traffic.add(record);
    if (record.trace?.isRecorded === true) {
      endConnection(record, end, ms);
    }
    this.log.info('upgraded connection ended', lineOf(record, end, ms));
  }

  /** The client or peer went away before the end, so no response can be sent. */
  abandoned(record: RequestRecord, end: RequestEnd): void {
    const ms = this.end(record, end);
    this.log.info('request abandoned', lineOf(record, end, ms));
  }

  /** The response had begun and could not be completed: its connection was reset. */
  cutOff(record: RequestRecord, end: RequestEnd): void {
    const ms = this.end(record, end);
    this.log.warn('response cut off', lineOf(record, end, ms));
  }

  /**
   * This relay responded with an error: below 500 the sender is at fault, from 500 on the relay, its peer or the upstream. Of the
   * refusals that come in floods, those beyond the limit of their network are only counted.
   *
   * @param socket - the connection of the request
   */
  refused(record: RequestRecord, end: Refusal, socket: Duplex): void {
    const { code } = end;
    const isLogged =
      !FLOOD_CODES.has(code) || this.floods.tryTake(`${code} ${senderNetwork(socket)}`);
    this.report(record, end, isLogged);
  }

  /**
   * As `refused`, for a sender that has not authenticated itself.
   *
   * @param socket - the connection of the request
   * @returns false if the refusal was only counted, because the network has used up its log lines for now
   */
  refusedUnauthenticated(record: RequestRecord, end: Refusal, socket: Duplex): boolean {
    const isLogged = this.unauthenticated.tryTake(senderNetwork(socket));
    this.report(record, end, isLogged);
    return isLogged;
  }

  /** As `refusedUnauthenticated`, for a request that no controller has seen. */
  refusedEarly(refusal: EarlyRefusal, socket: Duplex): void {
    this.metrics.requests.inc({ role: refusal.role, code: refusal.code });
    this.observer?.(new RequestRecord(refusal.requestId, refusal.role), refusal, 0);
    if (this.unauthenticated.tryTake(senderNetwork(socket))) {
      this.log.warn('request refused', refusal);
    }
  }

  /** Logs a step of a request that is under way. */
  debug({ requestId, exchange }: RequestRecord, message: string): void {
    this.log.debug(message, { requestId, exchange });
  }

  /** A connection ended, and no error response could be sent on it. */
  connectionLost(error: Error): void {
    this.log.debug('connection lost', { error });
  }

  private report(record: RequestRecord, end: Refusal, isLogged: boolean): void {
    const ms = this.count(record, end);
    const isFailure = end.status >= 500 && record.role !== 'inbound' && record.role !== 'pairing';
    // A flood makes no more spans than lines, but what has begun has an end: a span of it may be the parent of others.
    if (isLogged || record.trace !== undefined) {
      endTrace(this.traces, record, end);
    }
    if (!isLogged) {
      return;
    }
    if (isFailure) {
      this.log.error('request failed', lineOf(record, end, ms));
    } else {
      this.log.warn('request refused', lineOf(record, end, ms));
    }
  }

  private end(record: RequestRecord, end: RequestEnd): number {
    endTrace(this.traces, record, end);
    return this.count(record, end);
  }

  /** Counts a request that has ended. @returns the milliseconds that it took */
  private count(record: RequestRecord, end: RequestEnd): number {
    const { role } = record;
    const { code } = end;
    const ms = performance.now() - record.startedAtMs;
    if ((record.attempt ?? 1) > 1) {
      this.metrics.retries.inc();
    }
    if (record.upstreamAttempt !== undefined) {
      this.metrics.upstreamRepeats.inc();
    }
    if (code !== undefined) {
      this.metrics.observeCode(role, code);
    }
    if (record.clientName !== undefined) {
      this.metrics.clients.count(record.clientName, code);
    }
    this.metrics.traffic.add(record);
    this.metrics.requests.inc({ role, code: code ?? 'ok' });
    this.metrics.requestSeconds.observe({ role }, ms / 1000);
    this.observer?.(record, end, ms);
    return ms;
  }
}

/**
 * Copied field by field, because spreading objects into one another costs more than the line itself. A line has the sizes that
 * clients and upstreams see; the sizes of sealed messages are only for the metrics.
 */
function lineOf(record: RequestRecord, end: RequestEnd, ms: number): LogFields {
  return {
    requestId: record.requestId,
    role: record.role,
    status: end.status,
    code: end.code,
    ms: Math.round(ms * 10) / 10,
    method: record.method,
    client: record.clientName,
    peer: record.peer,
    exchange: record.exchange,
    attempt: record.attempt,
    upstreamAttempt: record.upstreamAttempt,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    trace_id: record.traceId,
    forwarded: end.forwarded,
    error: end.error,
  };
}
