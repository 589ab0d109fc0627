import { Injectable } from '@nestjs/common';

import { Allowances } from '../allowances.js';
import type { EarlyAnswer, EarlyReports } from '../errors/early-answers.js';
import { RelayLog, type LogFields } from './relay-log.js';
import { RelayMetrics, type Role } from './relay-metrics.js';
import type { RequestFacts } from './request-facts.js';

/**
 * Refusals a minute that have a line each where those who are refused prove nothing, by network: a flood of them must
 * not fill a disk. Nobody is refused for it: who proves himself from the same address, such as a load balancer's, is
 * not asked how many others did not.
 */
const LINES_PER_MINUTE = 100;

/** How one request ended. */
export interface RequestReport {
  readonly requestId: string;
  readonly role: Role;
  /** From its arrival to the end of its answer. */
  readonly ms: number;
  readonly facts: RequestFacts;
  /** Of the answer. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly forwarded?: 'no' | 'maybe';
  readonly error?: unknown;
}

/** Every request ends with one line in the log, and is counted. */
@Injectable()
export class RequestReports implements EarlyReports {
  private readonly strangers = new Allowances(LINES_PER_MINUTE, {
    monotonicMs: () => performance.now(),
  });

  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
  ) {}

  /** The client or peer has its answer, whatever that says. */
  answered(report: RequestReport): void {
    this.count(report);
    this.log.info('request answered', lineOf(report));
  }

  /** An exchange with the upstream is over: answered, answered in its place, or broken off. */
  exchanged(report: RequestReport): void {
    if (report.status === undefined) {
      this.cutOff(report);
    } else {
      this.answered(report);
    }
  }

  /** Somebody went away before the end: nobody is left to answer. */
  abandoned(report: RequestReport): void {
    this.count(report);
    this.log.info('request abandoned', lineOf(report));
  }

  /** The answer had begun and could not be finished: its connection was reset. */
  cutOff(report: RequestReport): void {
    this.count(report);
    this.log.warn('answer cut off', lineOf(report));
  }

  /** This relay answered with an error of its own: a mistake of the sender below 500, a failure from there on. */
  refused(report: RequestReport & { readonly status: number }): void {
    this.count(report);
    const isFailure =
      report.status >= 500 && report.role !== 'inbound' && report.role !== 'pairing';
    if (isFailure) {
      this.log.error('request failed', lineOf(report));
    } else {
      this.log.warn('request refused', lineOf(report));
    }
  }

  /**
   * The same for somebody who has proved nothing.
   *
   * @param network - where the request came from
   * @returns false where it was only counted: the log has said enough of that network for now
   */
  refusedStranger(report: RequestReport & { readonly status: number }, network: string): boolean {
    if (this.strangers.take(network)) {
      this.refused(report);
      return true;
    }
    this.count(report);
    return false;
  }

  /** No controller saw the request: its head could not be read, or asks for what no relay does. */
  refusedEarly(answer: EarlyAnswer, network: string): void {
    this.metrics.requests.inc({ role: answer.role, code: answer.code });
    if (this.strangers.take(network)) {
      this.log.warn('request refused', answer);
    }
  }

  /** A connection ended in a way that nobody could be told of. */
  connectionLost(error: Error): void {
    this.log.debug('connection lost', { error });
  }

  private count(report: RequestReport): void {
    const { role, code = 'ok', ms, facts } = report;
    if ((facts.attempt ?? 1) > 1) {
      this.metrics.retries.inc();
    }
    if (code !== 'ok') {
      this.metrics.observeCode(role, code);
    }
    this.metrics.traffic.add(role, facts);
    this.metrics.requests.inc({ role, code });
    this.metrics.requestSeconds.observe({ role }, ms / 1000);
  }
}

/**
 * Field by field: objects that are spread into one another cost more than the line itself. Sizes of messages are for
 * the metrics: what a line has is what clients and upstreams see.
 */
function lineOf(report: RequestReport): LogFields {
  const { facts } = report;
  return {
    requestId: report.requestId,
    role: report.role,
    status: report.status,
    code: report.code,
    ms: Math.round(report.ms * 10) / 10,
    method: facts.method,
    peer: facts.peer,
    exchange: facts.exchange,
    attempt: facts.attempt,
    bytesIn: facts.bytesIn,
    bytesOut: facts.bytesOut,
    trace_id: facts.trace_id,
    forwarded: report.forwarded,
    error: report.error,
  };
}
