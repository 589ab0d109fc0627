import { closest } from './closest.js';
import type { KeyPath, Problems } from './problems.js';

/** Reports the names that are no peer's. */
export function checkPeerNames(
  names: readonly string[] | undefined,
  path: KeyPath,
  peers: readonly string[],
  problems: Problems,
): void {
  names?.forEach((name, index) => {
    if (!peers.includes(name)) {
      const meant = closest(name, peers);
      const suggestion = meant === undefined ? '' : `: did you mean ${meant}?`;
      problems.add([...path, index], `must be a name under peers${suggestion}`);
    }
  });
}
