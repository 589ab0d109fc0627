import { editDistance } from '../../variable-names/edit-distance.js';

/** Returns the name that somebody who typed `typed` probably meant: up to two typing errors away, without regard to case. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length > 64) {
    return undefined;
  }
  const most = typed.length < 5 ? 1 : 2;
  const [first] = names
    .map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((one, other) => one.distance - other.distance);
  return first?.name;
}
