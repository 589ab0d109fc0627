import { pino, type DestinationStream, type Logger } from 'pino';

import type { LogLevel, RelayConfig } from '@relay/config';

import { standardOutput } from './line-output.js';

/**
 * All the fields that a log line can have besides its message. It is a list of what is allowed, not of what is hidden: there is
 * no field for tokens, keys, header values or the content of messages.
 */
export interface LogFields {
  readonly requestId?: string | undefined;
  /** The first 8 characters of the session id, and the sequence number: the same in both relays' logs. */
  readonly exchange?: string | undefined;
  /** The role in which the relay serves the request. */
  readonly role?: string | undefined;
  /** Only if this side received it in plaintext. */
  readonly method?: string | undefined;
  /** Name of the client, if its entry has one. */
  readonly client?: string | undefined;
  /** Origin of the other relay, or its name if it is the one that has sent the request. */
  readonly peer?: string | undefined;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  /** Duration in milliseconds. */
  readonly ms?: number | undefined;
  /** Sizes of the plaintext bodies, in bytes. */
  readonly bytesIn?: number | undefined;
  readonly bytesOut?: number | undefined;
  /** Of a channel: the streams that were opened in it, those that broke with it, its records in both directions. */
  readonly streams?: number | undefined;
  readonly brokenStreams?: number | undefined;
  readonly records?: number | undefined;
  readonly attempt?: number | undefined;
  readonly upstreamAttempt?: number | undefined;
  /** Id of the trace that the request belongs to. The name of this field is the one that tracing tools expect. */
  readonly trace_id?: string | undefined;
  readonly forwarded?: 'no' | 'maybe' | undefined;
  /** The reason for what the line reports; one of a few fixed texts. */
  readonly reason?: string | undefined;
  /** Identifies a secret without revealing it: equal in two relays that have the same secret. */
  readonly keyId?: string | undefined;
  /** The first digits of the SHA-256 of a client's token, and when it expires. */
  readonly tokenId?: string | undefined;
  readonly expires?: string | undefined;
  readonly error?: unknown;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** How many peers, clients and tenants this relay knows. */
  readonly directory?: Readonly<Record<string, number>> | undefined;
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

/** For a connection attempt to several addresses, whose errors are usually all the same. */
const MAX_ERRORS = 4;
const MS_PER_SECOND = 1_000;
/** Longer chains add nothing new, and an error may be its own cause. */
const MAX_CAUSES = 8;

/** The relay's log: one JSON line for each event. */
export class RelayLog {
  private readonly logger: Logger;

  /** @param onEveryLine - identifies the process of a line, if several processes write to the same output */
  constructor(
    level: LogLevel,
    destination: DestinationStream = standardOutput(),
    onEveryLine: { readonly pid: number } | null = null,
  ) {
    this.logger = pino({ level, base: onEveryLine, timestamp: timeOfLine() }, destination);
  }

  /** The log of this process on standard output, according to its configuration. */
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

/** ISO 8601 in UTC, like pino's, but formatted only once a second: it would cost as much as the rest of the line. */
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

/** Name, code and message of an error and of its causes. No other property, because some contain data from the network. */
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
