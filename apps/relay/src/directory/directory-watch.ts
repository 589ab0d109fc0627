import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ConfigInvalidError, RelayConfig, reloadDirectory } from '@relay/config';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { DirectoryService } from './directory.service.js';

/** Content counts once two checks have found the same, so that a change takes effect after at most twice this time. */
const CHECK_INTERVAL_MS = 500;

/**
 * Takes over what has changed in RELAY_CONFIG_FILE or in a file that it names. What cannot be used changes nothing.
 *
 * The content is compared, because neither timestamps nor file system events are reliable: Kubernetes swaps symbolic links, and
 * folders are mounted over networks. A file that is being written may look complete, so content counts only when it stays.
 */
@Injectable()
export class DirectoryWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isChecking = false;
  private files: readonly string[] = [];
  /** Identifies the content that is in use. */
  private known = '';
  /** Identifies the content that the last check has found. */
  private seen = '';
  private problems: readonly string[] = [];
  private readonly onSignal = (): void => {
    void this.reload();
  };

  constructor(
    private readonly config: RelayConfig,
    private readonly directory: DirectoryService,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
  ) {}

  /** Whether the file as it is now is in use. */
  get state(): 'in use' | 'refused' {
    return this.problems.length === 0 ? 'in use' : 'refused';
  }

  onApplicationBootstrap(): void {
    if (this.config.relayConfigFile === undefined) {
      return;
    }
    this.metrics.directoryRefused.set(0);
    process.on('SIGHUP', this.onSignal);
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    process.off('SIGHUP', this.onSignal);
  }

  private async check(): Promise<void> {
    if (this.isChecking) {
      return;
    }
    this.isChecking = true;
    try {
      const found = await fingerprintOf([this.config.relayConfigFile ?? '', ...this.files]);
      const isSettled = found === this.seen;
      this.seen = found;
      // Which files a refused file names is not known, so it is read again whatever they contain.
      if (isSettled && (found !== this.known || this.state === 'refused')) {
        this.known = found;
        await this.reload();
      }
    } finally {
      this.isChecking = false;
    }
  }

  /** Reads everything again. It never rejects. */
  private async reload(): Promise<void> {
    try {
      const { directory, files, warnings } = reloadDirectory(this.config);
      this.files = files;
      const isChanged = await this.directory.replace(directory);
      if (isChanged || this.state === 'refused') {
        this.report(directory, warnings);
      }
      this.problems = [];
      this.metrics.directoryRefused.set(0);
    } catch (error) {
      this.refuse(error);
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
    const content = await readFile(file).catch((error: unknown) =>
      String((error as NodeJS.ErrnoException).code),
    );
    hash.update(`${content.length} `).update(content);
  }
  return hash.digest('hex');
}
