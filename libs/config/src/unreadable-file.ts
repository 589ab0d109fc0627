/** What to say of a file that cannot be read, with the system's reason (`ENOENT`, `EACCES`) and without its path. */
export function cannotBeRead(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return `cannot be read (${code ?? 'unknown error'})`;
}
