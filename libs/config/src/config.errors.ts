import { RelayError } from '@relay/errors';

/** The environment does not yield a valid configuration. */
export class ConfigInvalidError extends RelayError {
  /** Part of the operator contract, as every code. */
  readonly code = 'RELAY_CONFIG_INVALID';

  /**
   * One line per problem, which names the variable and the rule that it breaks. The lines never show the value of a
   * variable; of HEADERS, REQUEST_HEADERS and RESPONSE_HEADERS they show field names. Frozen.
   */
  readonly problems: readonly string[];

  /**
   * @param problems - copied
   * @param files - paths of the files that RELAY_CONFIG_FILE names, as far as they are known: what is wrong may be in one of them
   */
  constructor(
    problems: readonly string[],
    readonly files: readonly string[] = [],
  ) {
    super(
      problems.length === 1
        ? 'configuration has 1 problem'
        : `configuration has ${problems.length} problems`,
    );
    this.problems = Object.freeze([...problems]);
  }
}
