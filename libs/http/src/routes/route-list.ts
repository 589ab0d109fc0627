import { canonicalPath } from './request-path.js';

/** Paths that were configured: exact, or a prefix where the entry ends in `*`. */
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

  /** Judged on the canonical path; a path that has none matches nothing. */
  matches(path: string): boolean {
    const canonical = canonicalPath(path);
    return (
      canonical !== undefined &&
      (this.exact.has(canonical) || this.prefixes.some((prefix) => canonical.startsWith(prefix)))
    );
  }
}
