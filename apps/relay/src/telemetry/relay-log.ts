import { pino, type DestinationStream, type Logger } from 'pino';

import type { LogLevel, RelayConfig } from '@relay/config';

import { standardOutput } from './line-output.js';

/**
 * All that a log line may say besides its message. A list of what is allowed, not of what is hidden: tokens, keys,
 * header values and sealed content have no field to stand in.
 */
export interface LogFields {
  readonly requestId?: string | undefined;
  /** The first 8 characters of the session id, and the sequence number: the same in both relays' logs. */
  readonly exchange?: string | undefined;
  /** The side of the relay that the request came to. */
  readonly role?: string | undefined;
  /** Only where this side saw it in clear. */
  readonly method?: string | undefined;
  /** Origin of the other relay. */
  readonly peer?: string | undefined;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  /** Duration in milliseconds. */
  readonly ms?: number | undefined;
  /** Of bodies in clear, in bytes. */
  readonly bytesIn?: number | undefined;
  readonly bytesOut?: number | undefined;
  readonly attempt?: number | undefined;
  /** Of the trace that the request belongs to, by the name that tracing tools look for. */
  readonly trace_id?: string | undefined;
  readonly forwarded?: 'no' | 'maybe' | undefined;
  /** Why the relay did what the line says; one of a few fixed texts. */
  readonly reason?: string | undefined;
  /** Names a secret without telling it: the same in both relays where they hold the same one. */
  readonly keyId?: string | undefined;
  readonly error?: unknown;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly store?: Readonly<Record<string, unknown>> | undefined;
  readonly address?: string | undefined;
  readonly certificate?: Readonly<Record<string, unknown>> | undefined;
  /** Process ids of workers, in lines of the process that supervises them. */
  readonly worker?: number | undefined;
  readonly workers?: readonly number[] | undefined;
  /** How a worker ended. */
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
}

/** Of an attempt at several addresses; each says the same, as a rule. */
const MAX_ERRORS = 4;
const MS_PER_SECOND = 1_000;
/** Longer chains say nothing new, and an error may be its own cause. */
const MAX_CAUSES = 8;

/** The relay's own log: JSON lines, one a fact. */
export class RelayLog {
  private readonly logger: Logger;

  /** @param onEveryLine - what says whose line it is, where several processes write to one place */
  constructor(
    level: LogLevel,
    destination: DestinationStream = standardOutput(),
    onEveryLine: { readonly pid: number } | null = null,
  ) {
    this.logger = pino({ level, base: onEveryLine, timestamp: timeOfLine() }, destination);
  }

  /** The log of this process on standard output, as its configuration wants it. */
  static ofProcess({ effectiveLogLevel, workers }: RelayConfig): RelayLog {
    const onEveryLine = workers > 1 ? { pid: process.pid } : null;
    return new RelayLog(effectiveLogLevel, standardOutput(), onEveryLine);
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.logger.isLevelEnabled('debug')) {
      this.logger.debug(lineOf(fields), message);
    }
  }

  info(message: string, fields: LogFields = {}): void {
    this.logger.info(lineOf(fields), message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.logger.warn(lineOf(fields), message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.logger.error(lineOf(fields), message);
  }

  fatal(message: string, fields: LogFields = {}): void {
    this.logger.fatal(lineOf(fields), message);
  }
}

/** ISO 8601 in UTC, as pino has it, but taken apart once a second only: it cost as much as the rest of a line. */
function timeOfLine(): () => string {
  let second = NaN;
  let start = '';
  return () => {
    const now = Date.now();
    const ms = now % MS_PER_SECOND;
    if (now - ms !== second) {
      second = now - ms;
      start = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    return `${start}${String(ms).padStart(3, '0')}Z"`;
  };
}

function lineOf(fields: LogFields): object {
  return fields.error === undefined ? fields : { ...fields, error: describeError(fields.error) };
}

/** Name, code and message of an error and of its causes. No other property: some hold what came over the wire. */
function describeError(error: unknown, causesLeft = MAX_CAUSES): object {
  if (!(error instanceof Error)) {
    return { message: typeof error };
  }
  const { name, message, cause } = error;
  const code = (error as { readonly code?: unknown }).code;
  return {
    name,
    ...(typeof code === 'string' ? { code } : {}),
    message,
    ...(error instanceof AggregateError && causesLeft > 0
      ? {
          errors: error.errors
            .slice(0, MAX_ERRORS)
            .map((one: unknown) => describeError(one, causesLeft - 1)),
        }
      : {}),
    ...(cause === undefined || causesLeft === 0
      ? {}
      : { cause: describeError(cause, causesLeft - 1) }),
  };
}
