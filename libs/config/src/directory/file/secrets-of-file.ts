import { isProduction } from '../../rules/production.js';
import { Refused } from '../../rules/rule.js';
import { secret, weaknessOf } from '../../rules/secrets.js';
import type { FileContext } from './context.js';
import type { KeyPath } from './problems.js';
import type { SecretSource } from './sources.js';

const MAX_SECRET_BYTES = 65_536;

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
  const { files, problems, environment } = context;
  if ((file === undefined) === (env === undefined)) {
    problems.add(path, 'must have either the key file or the key env');
    return undefined;
  }
  if (file !== undefined) {
    const content = files.read(files.pathOf(file), MAX_SECRET_BYTES);
    return problems
      .accept([...path, 'file'], content)
      ?.toString('utf8')
      .replace(/[\r\n]+$/, '');
  }
  const value = environment[env ?? ''] ?? '';
  return problems.accept(
    [...path, 'env'],
    value === '' ? new Refused('must name a variable that is set') : value,
  );
}

/** Reads a peer's secret by the rules of CLIENT_ID_SECRET. Problems are reported. */
export function readSecret(
  source: SecretSource | undefined,
  path: KeyPath,
  context: FileContext,
): string | undefined {
  const text = readSource(source, path, context);
  const value = text === undefined ? undefined : context.problems.accept(path, secret(text));
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
