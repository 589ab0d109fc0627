/**
 * The environment does not make a configuration.
 *
 * It has the shape of a `RelayError` without being one, since this library imports nothing of ours.
 */
export class ConfigInvalidError extends Error {
  readonly code = 'RELAY_CONFIG_INVALID';

  /** One line a problem, each naming the variable and the rule; never a value beyond a field name. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration has ${problems.length} problem(s)`);
    this.name = new.target.name;
    this.problems = Object.freeze([...problems]);
  }
}
