import { closest } from './closest.js';
import type { KeyPath, Problems } from './problems.js';

/** Reports a name that is not one of those under a part of the file. */
export function checkName(
  name: string,
  path: KeyPath,
  part: 'peers' | 'clients',
  names: readonly string[],
  problems: Problems,
): void {
  if (!names.includes(name)) {
    const meant = closest(name, names);
    const suggestion = meant === undefined ? '' : `: did you mean ${meant}?`;
    problems.add(path, `must be a name under ${part}${suggestion}`);
  }
}

/** Reports the names that are no peer's. */
export function checkPeerNames(
  names: readonly string[] | undefined,
  path: KeyPath,
  peers: readonly string[],
  problems: Problems,
): void {
  names?.forEach((name, index) => {
    checkName(name, [...path, index], 'peers', peers, problems);
  });
}
