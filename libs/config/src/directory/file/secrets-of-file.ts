import { isProduction } from '../../rules/production.js';
import { Refused } from '../../rules/rule.js';
import { secret, weaknessOf } from '../../rules/secrets.js';
import type { FileContext } from './context.js';
import type { SecretSource } from './entry-classes.js';
import type { KeyPath } from './problems.js';

const MAX_SECRET_BYTES = 65_536;

const reportAll = ({ problems }: FileContext, path: KeyPath, refused: Refused): undefined => {
  refused.problems.forEach((rule) => {
    problems.add(path, rule);
  });
  return undefined;
};

/** Reads the text behind `{ file }` or `{ env }`. Line breaks at the end of a file are not part of it. Problems are reported. */
export function readSource(
  source: SecretSource | undefined,
  path: KeyPath,
  context: FileContext,
): string | undefined {
  if (source === undefined) {
    return undefined;
  }
  const { file, env } = source;
  if ((file === undefined) === (env === undefined)) {
    return reportAll(context, path, new Refused('must have either the key file or the key env'));
  }
  if (file !== undefined) {
    const content = context.files.read(context.files.pathOf(file), MAX_SECRET_BYTES);
    return content instanceof Refused
      ? reportAll(context, [...path, 'file'], content)
      : content.toString('utf8').replace(/[\r\n]+$/, '');
  }
  const value = context.environment[env ?? ''] ?? '';
  return value === ''
    ? reportAll(context, [...path, 'env'], new Refused('must name a variable that is set'))
    : value;
}

/** Reads a peer's secret by the rules of CLIENT_ID_SECRET. Problems are reported. */
export function readSecret(
  source: SecretSource | undefined,
  path: KeyPath,
  context: FileContext,
): string | undefined {
  const text = readSource(source, path, context);
  const value = text === undefined ? undefined : secret(text);
  if (value instanceof Refused) {
    return reportAll(context, path, value);
  }
  const weakness = value === undefined ? undefined : weaknessOf(value);
  if (weakness !== undefined) {
    if (isProduction(context.config.nodeEnv)) {
      context.problems.add(path, `${weakness} (NODE_ENV is production)`);
    } else {
      context.problems.warn(path, weakness);
    }
  }
  return value;
}
