export function versionOf(read?: (path: string) => string): {
  readonly version: string;
  readonly problems: readonly string[];
};

export function releaseProblems(
  version: string,
  source: { readonly changelog: string; readonly changedFiles: string },
): readonly string[];
