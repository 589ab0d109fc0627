import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ConfigInvalidError, RelayConfig, reloadDirectory } from '@relay/config';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { DirectoryService } from './directory.service.js';

/** Comparing takes about 100 µs of processor time for each file. */
const CHECK_INTERVAL_MS = 1_000;
/** How long changed content must stay as it is before it counts: a file that is being written may look complete. */
const SETTLE_MS = 300;
/** No file of a directory may be larger. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Takes over what has changed in RELAY_CONFIG_FILE or in a file that it names. What cannot be used changes nothing.
 *
 * The content is compared, because neither timestamps nor file system events are reliable: Kubernetes swaps symbolic links, and
 * folders are mounted over networks. Files are read one after another, so that a file system that hangs blocks one thread only.
 */
@Injectable()
export class DirectoryWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isChecking = false;
  private reloading: Promise<void> = Promise.resolve();
  private files: readonly string[] = [];
  /** Identifies the content that was last read because it had settled. At first nothing is known, so all is read once. */
  private known = '';
  private problems: readonly string[] = [];
  private readonly onSignal = (): void => {
    void this.reload();
  };

  constructor(
    private readonly config: RelayConfig,
    private readonly directory: DirectoryService,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
  ) {
    // From the beginning: until there is a listener, the signal ends the process.
    if (config.relayConfigFile !== undefined) {
      process.on('SIGHUP', this.onSignal);
    }
  }

  /** Whether the file as it is now is in use. */
  get state(): 'in use' | 'refused' {
    return this.problems.length === 0 ? 'in use' : 'refused';
  }

  onApplicationBootstrap(): void {
    if (this.config.relayConfigFile === undefined) {
      return;
    }
    this.metrics.directoryRefused.set(0);
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    process.off('SIGHUP', this.onSignal);
  }

  /** Compares the files once. A check that is still under way goes on alone. */
  async check(): Promise<void> {
    if (this.isChecking) {
      return;
    }
    this.isChecking = true;
    try {
      const found = await this.fingerprint();
      if (found !== this.known) {
        await delay(SETTLE_MS, undefined, { ref: false });
        await this.reload(found);
      }
    } finally {
      this.isChecking = false;
    }
  }

  /** Identifies the content of all files as it is now. */
  private fingerprint(): Promise<string> {
    return fingerprintOf([this.config.relayConfigFile ?? '', ...this.files]);
  }

  /**
   * Reads everything again, one call after another. It never rejects.
   *
   * @param settled - the content that is expected; if it is no longer there, the next check begins anew
   */
  private reload(settled?: string): Promise<void> {
    this.reloading = this.reloading.then(() => this.reloadNow(settled));
    return this.reloading;
  }

  private async reloadNow(settled: string | undefined): Promise<void> {
    const loaded = this.load();
    // Compared after it was read, so that nothing that came in between is taken for what has settled.
    if (settled !== undefined) {
      if ((await this.fingerprint()) !== settled) {
        return;
      }
      this.known = settled;
    }
    if (loaded instanceof Error) {
      this.files = loaded instanceof ConfigInvalidError ? loaded.files : [];
      this.refuse(loaded);
      return;
    }
    const { directory, files, warnings } = loaded;
    this.files = files;
    try {
      const isChanged = await this.directory.replace(directory);
      if (isChanged || this.state === 'refused') {
        this.report(directory, warnings);
      }
      this.problems = [];
      this.metrics.directoryRefused.set(0);
    } catch (error) {
      // The content itself is good: the next check tries it again.
      this.known = '';
      this.refuse(error);
    }
  }

  private load(): ReturnType<typeof reloadDirectory> | Error {
    try {
      return reloadDirectory(this.config);
    } catch (error) {
      return error as Error;
    }
  }

  private report(
    { peers, clients, tenants }: ReturnType<typeof reloadDirectory>['directory'],
    warnings: readonly string[],
  ): void {
    this.metrics.directoryReloads.inc({ result: 'ok' });
    this.log.info('the directory was replaced', {
      directory: { peers: peers.length, clients: clients.length, tenants: tenants.length },
    });
    for (const warning of warnings) {
      this.log.warn(warning);
    }
  }

  private refuse(error: unknown): void {
    const problems = error instanceof ConfigInvalidError ? error.problems : [String(error)];
    this.metrics.directoryRefused.set(1);
    if (problems.join('\n') === this.problems.join('\n')) {
      return;
    }
    this.problems = problems;
    this.metrics.directoryReloads.inc({ result: 'refused' });
    for (const problem of problems) {
      this.log.error('the new directory cannot be used: the previous one stays in use', {
        reason: problem,
      });
    }
  }
}

/** Identifies the content of files. A file that cannot be read has the reason as its content. */
async function fingerprintOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await contentOf(file).catch((error: unknown) =>
      String((error as NodeJS.ErrnoException).code),
    );
    hash.update(`${content.length} `).update(content);
  }
  return hash.digest('hex');
}

/** What would never end to be read, or is refused for its size, is told by what it is. */
async function contentOf(file: string): Promise<string | Buffer> {
  const entry = await stat(file);
  return entry.isFile() && entry.size <= MAX_FILE_BYTES
    ? readFile(file)
    : `${entry.mode} ${entry.size}`;
}
