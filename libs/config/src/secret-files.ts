import { readFileSync } from 'node:fs';

import { cannotBeRead } from './unreadable-file.js';

/** Variables whose value may be in a file that `<NAME>_FILE` names, as Docker and Kubernetes provide secrets. */
export const FILE_VARIABLES = [
  'CLIENT_ID_SECRET',
  'CLIENT_ID_SECRET_ALT',
  'OUTBOUND_TOKEN',
  'OUTBOUND_TOKEN_ALT',
  'REDIS_URL',
  'DOMAIN_MAP',
  'PEER_PROXY_URL',
  'ADMIN_TOKEN',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
] as const;

/** An environment that includes the contents of its secret files, and the problems with those files. */
export interface ReadSecrets {
  readonly environment: NodeJS.ProcessEnv;
  /** One line each, which never shows a value or a path. */
  readonly problems: readonly string[];
  /** The variables without a value because their file cannot be read, which `problems` states. */
  readonly unread: readonly string[];
}

/** Reads the secret files. Line breaks at the end of a file are not part of the secret. */
export function readSecretFiles(environment: NodeJS.ProcessEnv): ReadSecrets {
  const read: NodeJS.ProcessEnv = { ...environment };
  const problems: string[] = [];
  const unread: string[] = [];
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
      problems.push(`${name}_FILE ${cannotBeRead(error)}`);
      unread.push(name);
    }
  }
  return { environment: read, problems, unread };
}
