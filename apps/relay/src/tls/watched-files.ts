import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Each check reads a few small files, which costs next to nothing. */
const CHECK_INTERVAL_MS = 1_000;

/** The contents of files, by what each of them is. */
type Contents<Part extends string> = Readonly<Record<Part, Buffer>>;

/** What is told of a change. */
interface FileEvents<Part extends string> {
  /** The files have other contents than those that were told last. */
  onChange(contents: Contents<Part>): void;
  /** They have changed, and cannot be read. */
  onUnreadable(error: unknown): void;
}

/** What a check has found. */
interface Finding<Part extends string> {
  /** Identifies the contents, so that changes are noticed. */
  readonly name: string;
  readonly contents?: Contents<Part>;
  readonly error?: unknown;
}

/**
 * Files whose contents may change while the relay runs.
 *
 * The content is compared, because neither timestamps nor file system events are reliable: Kubernetes swaps symbolic links,
 * files are copied with old timestamps, and folders are mounted over networks.
 */
export class WatchedFiles<Part extends string> {
  private timer: NodeJS.Timeout | undefined;
  private isChecking = false;
  /** The name of the contents that were told last. */
  private known = '';
  /** The name of contents that the last check was the first to find. They may be incomplete: files are written one by one. */
  private unsettled = '';

  /** @param paths - of the files, by what each of them is */
  constructor(private readonly paths: Readonly<Record<Part, string>>) {}

  /** Reads them now. @throws Error if one cannot be read */
  read(): Contents<Part> {
    return this.withContents(this.parts.map((part) => readFileSync(this.paths[part])));
  }

  /** Compares them once a second from now on. @param contents - that are in use; undefined if none are */
  watch(contents: Contents<Part> | undefined, events: FileEvents<Part>): void {
    this.known = contents === undefined ? '' : this.nameOf(contents);
    this.timer = setInterval(() => void this.check(events), CHECK_INTERVAL_MS).unref();
  }

  /** Tells no more changes. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async check(events: FileEvents<Part>): Promise<void> {
    if (this.isChecking) {
      return;
    }
    this.isChecking = true;
    const found = await this.find();
    this.isChecking = false;
    if (this.timer === undefined) {
      return;
    }
    if (found.name === this.known) {
      this.unsettled = '';
    } else if (found.name === this.unsettled) {
      this.known = found.name;
      this.tell(found, events);
    } else {
      this.unsettled = found.name;
    }
  }

  private tell({ contents, error }: Finding<Part>, events: FileEvents<Part>): void {
    if (contents === undefined) {
      events.onUnreadable(error);
    } else {
      events.onChange(contents);
    }
  }

  private async find(): Promise<Finding<Part>> {
    try {
      const read = await Promise.all(this.parts.map((part) => readFile(this.paths[part])));
      const contents = this.withContents(read);
      return { name: this.nameOf(contents), contents };
    } catch (error) {
      return { name: `unreadable: ${String((error as NodeJS.ErrnoException).code)}`, error };
    }
  }

  private get parts(): Part[] {
    return Object.keys(this.paths) as Part[];
  }

  private withContents(contents: readonly Buffer[]): Contents<Part> {
    const entries = this.parts.map((part, at) => [part, contents[at]] as const);
    return Object.fromEntries(entries) as Contents<Part>;
  }

  /** The hashes have one length each, so that no octet can move from one file to the next unnoticed. */
  private nameOf(contents: Contents<Part>): string {
    const name = createHash('sha256');
    for (const part of this.parts) {
      name.update(createHash('sha256').update(contents[part]).digest());
    }
    return name.digest('base64');
  }
}
