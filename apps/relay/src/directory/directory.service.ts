import { isDeepStrictEqual } from 'node:util';

import type { Directory } from '@relay/config';
import type { AcceptedKeys, SecretKeys } from '@relay/protocol';
import type { Audiences } from '@relay/session';
import type { RelayName } from '@relay/signature';

import { KnownDirectory } from './known-directory.js';

/** What was made ready for another directory: kept if it is used, taken back if not. */
export type Preparation = (isUsed: boolean) => void;

/** Whom this relay knows at this moment. */
export class DirectoryService implements AcceptedKeys, Audiences {
  private readonly listeners: (() => void)[] = [];
  private prepare: ((next: KnownDirectory) => Promise<Preparation>) | undefined;
  private replacing: Promise<unknown> = Promise.resolve();

  private constructor(
    private known: KnownDirectory,
    private readonly name: RelayName,
  ) {}

  /** Derives the keys of all peers, which takes about 130 ms for each secret. */
  static async begin(entries: Directory, name: RelayName): Promise<DirectoryService> {
    return new DirectoryService(await KnownDirectory.of(entries, name), name);
  }

  /** All that is known, as of now. What belongs together is asked of the same one. */
  get current(): KnownDirectory {
    return this.known;
  }

  /** Calls back after each change. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Calls back before each change, which waits for it, and is refused if it fails. Only one caller may register. */
  beforeChange(prepare: (next: KnownDirectory) => Promise<Preparation>): void {
    this.prepare = prepare;
  }

  /**
   * Replaces everything at once. It rejects, and changes nothing, if a listener throws.
   *
   * @returns whether anything has changed
   */
  replace(entries: Directory): Promise<boolean> {
    const replaced = this.replacing.then(() => this.replaceNow(entries));
    this.replacing = replaced.catch(() => undefined);
    return replaced;
  }

  find(kid: string): SecretKeys | undefined {
    return this.known.holderOf(kid)?.keys;
  }

  accepts(audience: string, kid: string): boolean {
    return this.known.tenantFor(audience, kid) !== undefined;
  }

  isOwn(audience: string): boolean {
    return this.known.tenants.haveHad(audience);
  }

  private async replaceNow(entries: Directory): Promise<boolean> {
    if (isDeepStrictEqual(entries, this.known.entries)) {
      return false;
    }
    const previous = this.known;
    const next = await KnownDirectory.of(entries, this.name, previous);
    const settle = await this.prepare?.(next);
    try {
      this.use(next);
      settle?.(true);
    } catch (error) {
      settle?.(false);
      // A part of this relay cannot use it: all of them go back to the previous one, which they could use.
      this.use(previous);
      throw error;
    }
    return true;
  }

  private use(directory: KnownDirectory): void {
    this.known = directory;
    for (const listener of this.listeners) {
      listener();
    }
  }
}
