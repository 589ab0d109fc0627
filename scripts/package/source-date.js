import { execFileSync } from 'node:child_process';

/**
 * The time, in seconds since 1970, that all files of a package have, so that one source makes one package, byte for byte:
 * SOURCE_DATE_EPOCH if it is set, as for other build tools, otherwise the time of the commit.
 */
export function sourceDateSeconds() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && given !== '') {
    if (!/^\d+$/.test(given)) {
      throw new Error('SOURCE_DATE_EPOCH must be a number of seconds');
    }
    return Number(given);
  }
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' }));
}
