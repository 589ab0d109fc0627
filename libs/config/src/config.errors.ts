/**
 * The environment does not yield a valid configuration.
 *
 * The class has the shape of a `RelayError` without being one, because this library imports none of the others.
 */
export class ConfigInvalidError extends Error {
  readonly code = 'RELAY_CONFIG_INVALID';

  /**
   * One line per problem, which names the variable and the rule that it breaks. The lines never show the value of a
   * variable; of HEADERS they show field names. Frozen.
   */
  readonly problems: readonly string[];

  /** @param problems - copied */
  constructor(problems: readonly string[]) {
    super(`configuration has ${problems.length} problem(s)`);
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
