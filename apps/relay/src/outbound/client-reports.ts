import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Clock } from '@relay/clock';
import { OF_ENVIRONMENT, type ClientEntry } from '@relay/config';

import { ClientLimits } from '../admission/client-limits.js';
import { DirectoryService } from '../directory/directory.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { expiringTokens, nextExpirySeconds } from './token-expiry.js';

const WARNING_INTERVAL_MS = 24 * 60 * 60 * 1000;

/** Keeps limits and metrics to the clients in the directory, and tells of tokens that expire and of limits that are not shared. */
@Injectable()
export class ClientReports implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly directory: DirectoryService,
    private readonly limits: ClientLimits,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.clients.observeExpiries(() => this.nextExpiries());
    this.limits.watch((failure) => {
      this.reportSharing(failure);
    });
    this.directory.onChange(() => {
      this.follow();
    });
    this.follow();
    this.timer = setInterval(() => {
      this.warn();
    }, WARNING_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private get clients(): readonly ClientEntry[] {
    return this.directory.current.entries.clients.filter(({ name }) => name !== OF_ENVIRONMENT);
  }

  private follow(): void {
    const { clients } = this;
    this.limits.retain(clients);
    this.metrics.clients.retain(new Set(clients.map(({ name }) => name)));
    this.warn();
  }

  private warn(): void {
    for (const { hasExpired, ...token } of expiringTokens(this.clients, this.clock.nowMs())) {
      const message = hasExpired
        ? 'a token of a client has expired'
        : 'a token of a client expires soon';
      this.log.warn(message, token);
    }
  }

  private reportSharing(failure?: Error): void {
    if (failure === undefined) {
      this.log.info('requests of clients with limits are counted in redis again');
    } else {
      this.log.warn('requests of clients with limits are counted by this process alone', {
        error: failure,
      });
    }
  }

  private nextExpiries(): ReadonlyMap<string, number> {
    const nowMs = this.clock.nowMs();
    return new Map(
      this.clients.flatMap((client): [string, number][] => {
        const seconds = nextExpirySeconds(client, nowMs);
        return seconds === undefined ? [] : [[client.name, seconds]];
      }),
    );
  }
}
