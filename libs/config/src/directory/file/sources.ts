import { Optional, Value } from './keys.js';
import { path, variable } from './values.js';

/** Where a secret is: in a file or in a variable. */
export class SecretSource {
  /** Path of the file, relative to the folder of the directory file. */
  @Optional()
  @Value(path)
  readonly file?: string;

  /** Name of the environment variable. */
  @Optional()
  @Value(variable)
  readonly env?: string;
}

/** Where a PEM file is. */
export class FileSource {
  /** Path of the file, relative to the folder of the directory file. */
  @Value(path)
  readonly file!: string;
}
