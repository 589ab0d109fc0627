import { readFileSync } from 'node:fs';

/** Variables whose value may stand in a file, as Docker and Kubernetes hand secrets over: `<NAME>_FILE` names it. */
export const FILE_VARIABLES = [
  'CLIENT_ID_SECRET',
  'CLIENT_ID_SECRET_ALT',
  'OUTBOUND_TOKEN',
  'OUTBOUND_TOKEN_ALT',
  'REDIS_URL',
] as const;

/** An environment with the content of its secret files in place, and what was wrong with them. */
export interface ReadSecrets {
  readonly environment: NodeJS.ProcessEnv;
  /** One line each, never a value. */
  readonly problems: readonly string[];
}

/** Reads the files; line ends at a file's end are not part of a secret. */
export function readSecretFiles(environment: NodeJS.ProcessEnv): ReadSecrets {
  const read: NodeJS.ProcessEnv = { ...environment };
  const problems: string[] = [];
  for (const name of FILE_VARIABLES) {
    const path = environment[`${name}_FILE`] ?? '';
    if (path === '') {
      continue;
    }
    if ((environment[name] ?? '') !== '') {
      problems.push(`${name}_FILE must not be set together with ${name}`);
      continue;
    }
    try {
      read[name] = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push(`${name}_FILE cannot be read (${code ?? 'unknown error'})`);
    }
  }
  return { environment: read, problems };
}
