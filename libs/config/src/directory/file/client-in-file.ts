import { moment } from './date.js';
import { list, Mapping, MappingList, Optional, text, Value, WholeNumber } from './keys.js';
import { digest, name } from './values.js';

/** An entry of a client's `tokens`. */
export class TokenInFile {
  /** SHA-256 of the token: 64 hexadecimal digits. */
  @Value(digest)
  readonly sha256!: string;

  /** From when on the token is refused: a date, which begins at 0:00 UTC, or a date and time with an offset. */
  @Optional()
  @Value(text(moment))
  readonly expires?: number;
}

/** A client's `limits`. */
export class LimitsInFile {
  /** Requests in a second. */
  @Optional()
  @WholeNumber(1, 1_000_000)
  readonly requestsPerSecond?: number;

  /** Requests under way at the same time. */
  @Optional()
  @WholeNumber(1, 1_000_000)
  readonly concurrent?: number;
}

/** A key of `clients`. */
export class ClientInFile {
  /** The tokens of the client. */
  @MappingList(() => TokenInFile)
  readonly tokens!: readonly TokenInFile[];

  /** Names of the peers that the client may reach; without it, all. */
  @Optional()
  @Value(list(name))
  readonly peers?: readonly string[];

  /** What the client may use; an absent limit is none. */
  @Optional()
  @Mapping(() => LimitsInFile)
  readonly limits?: LimitsInFile;
}
