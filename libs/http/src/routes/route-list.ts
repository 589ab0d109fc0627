import type { JudgedPath } from './request-path.js';

/** A list of configured paths: each entry is an exact path, or a prefix if it ends in `*`. */
export class RouteList {
  private readonly exact: ReadonlySet<string>;
  private readonly prefixes: readonly string[];

  /** @param routes - entries that begin with `/`; `*` only at the end */
  constructor(routes: readonly string[]) {
    this.exact = new Set(routes.filter((route) => !route.endsWith('*')));
    this.prefixes = routes
      .filter((route) => route.endsWith('*'))
      .map((route) => route.slice(0, -1));
  }

  /** Whether an entry matches the canonical form of a path. A path without a canonical form matches nothing. */
  matches({ canonical }: JudgedPath): boolean {
    return (
      canonical !== undefined &&
      (this.exact.has(canonical) || this.prefixes.some((prefix) => canonical.startsWith(prefix)))
    );
  }
}
