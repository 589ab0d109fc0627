import type { RelayConfig } from '../../relay-config.js';
import type { NamedFiles } from './named-files.js';
import type { Problems } from './problems.js';

/** What reading the entries of a directory file needs besides the file. */
export interface FileContext {
  readonly files: NamedFiles;
  readonly problems: Problems;
  /** For what the file takes from variables. */
  readonly environment: NodeJS.ProcessEnv;
  /** The variables that remain defaults. */
  readonly config: RelayConfig;
}
