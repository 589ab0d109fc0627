/** The arguments of the commands of package.json: `npm run demo -- --help`. */
import { parseArgs } from 'node:util';

/** @import { ParseArgsConfig } from 'node:util' */

const USAGE_ERROR = 2;
/** @type {{ help: { type: 'boolean', short: string, default: boolean } }} */
const HELP = { help: { type: 'boolean', short: 'h', default: false } };

/**
 * Prints the usage and ends the process if the arguments ask for it. This is all that a command needs that passes its
 * arguments on.
 *
 * @param {string} usage - what the command does, and each of its options
 */
export function offerHelp(usage) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    process.exit(0);
  }
}

/**
 * The options of a command that takes nothing else. Prints the usage and ends the process if the arguments ask for it,
 * or if one of them is unknown.
 *
 * @template {NonNullable<ParseArgsConfig['options']>} T
 * @param {string} usage
 * @param {T} options
 */
export function readOptions(usage, options) {
  offerHelp(usage);
  try {
    return parseArgs({ options: { ...options, ...HELP } }).values;
  } catch (error) {
    return refuseArguments(usage, error);
  }
}

/**
 * Ends the process because its arguments cannot be used: prints what is wrong with them, and the usage.
 *
 * @param {string} usage
 * @param {unknown} problem
 * @returns {never}
 */
export function refuseArguments(usage, problem) {
  const message = problem instanceof Error ? problem.message : String(problem);
  // Node.js adds advice that is longer than what is wrong, and fits few commands.
  console.error(`${message.split('. To specify')[0]}\n\n${usage}`);
  process.exit(USAGE_ERROR);
}

/**
 * As `readOptions`, for a command that takes words as well.
 *
 * @template {NonNullable<ParseArgsConfig['options']>} T
 * @param {string} usage
 * @param {T} options
 */
export function readArguments(usage, options) {
  offerHelp(usage);
  try {
    return parseArgs({ options: { ...options, ...HELP }, allowPositionals: true });
  } catch (error) {
    return refuseArguments(usage, error);
  }
}

/**
 * As `readOptions`, for a command that takes one operand besides, such as a file.
 *
 * @template {NonNullable<ParseArgsConfig['options']>} T
 * @param {string} usage
 * @param {T} options
 */
export function readOperand(usage, options) {
  const { values, positionals } = readArguments(usage, options);
  const [operand] = positionals;
  return operand !== undefined && positionals.length === 1
    ? { values, operand }
    : refuseArguments(usage, 'exactly one operand is needed');
}
