import type { ClientEntry } from '@relay/config';

const MS_PER_DAY = 24 * 60 * 60 * 1000;
/** How long before a token expires its operator is warned. */
const WARNED_AHEAD_MS = 14 * MS_PER_DAY;
/** Enough to tell the tokens of one file apart, and too little to find a token by. */
const SHOWN_DIGITS = 8;

/** A token that has expired, or soon will. */
export interface ExpiringToken {
  readonly client: string;
  /** The first digits of its SHA-256. */
  readonly tokenId: string;
  readonly hasExpired: boolean;
  /** In ISO 8601. */
  readonly expires: string;
}

/** The tokens that have expired, and those that will within 14 days. */
export function expiringTokens(
  clients: readonly ClientEntry[],
  nowMs: number,
): readonly ExpiringToken[] {
  return clients.flatMap(({ name, tokens }) =>
    tokens.flatMap(({ sha256, expiresAtMs }) =>
      expiresAtMs === undefined || expiresAtMs - nowMs > WARNED_AHEAD_MS
        ? []
        : {
            client: name,
            tokenId: sha256.slice(0, SHOWN_DIGITS),
            hasExpired: expiresAtMs <= nowMs,
            expires: new Date(expiresAtMs).toISOString(),
          },
    ),
  );
}

/** When the next token of a client expires, in seconds since 1970; undefined if none does. */
export function nextExpirySeconds({ tokens }: ClientEntry, nowMs: number): number | undefined {
  const times = tokens
    .map(({ expiresAtMs }) => expiresAtMs)
    .filter((expiresAtMs) => expiresAtMs !== undefined && expiresAtMs > nowMs);
  return times.length === 0 ? undefined : Math.min(...(times as number[])) / 1000;
}
