import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { Refused } from '../../rules/rule.js';
import { cannotBeRead } from '../../unreadable-file.js';

/** Every file of a directory: the directory file itself, and what it names. Reads each once. */
export class NamedFiles {
  readonly #folder: string;
  readonly #contents = new Map<string, Buffer | Refused>();

  /** @param folder - what paths are relative to */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The absolute path of a file that the directory file names. */
  pathOf(name: string): string {
    return resolve(this.#folder, name);
  }

  /** Reads a file of at most `maxBytes`, or says why it cannot be read. */
  read(path: string, maxBytes: number): Buffer | Refused {
    const known = this.#contents.get(path);
    if (known !== undefined) {
      return known;
    }
    const content = readBounded(path, maxBytes);
    this.#contents.set(path, content);
    return content;
  }

  /** The paths of all files that have been read, or could not be. */
  get paths(): readonly string[] {
    return [...this.#contents.keys()];
  }
}

function readBounded(path: string, maxBytes: number): Buffer | Refused {
  try {
    const stat = statSync(path);
    // Reading a pipe or a device could wait for ever.
    if (!stat.isFile()) {
      return new Refused('must name a file');
    }
    const tooLarge = new Refused(`must name a file of at most ${maxBytes} bytes`);
    if (stat.size > maxBytes) {
      return tooLarge;
    }
    const content = readFileSync(path);
    return content.length > maxBytes ? tooLarge : content;
  } catch (error) {
    return new Refused(cannotBeRead(error));
  }
}
