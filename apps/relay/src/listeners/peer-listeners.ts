import type { Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';

import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RelayConfig, type ListenAt } from '@relay/config';

import { DirectoryService, type Preparation } from '../directory/directory.service.js';
import type { KnownDirectory } from '../directory/known-directory.js';
import type { KnownListener } from '../directory/known-listeners.js';
import { ShutdownState } from '../lifecycle/shutdown-state.js';
import type { RelayAdapter } from '../server/relay-adapter.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { listenErrorOf } from './listen-error.js';
import { givePermissions, removeStaleSocket } from './unix-socket.js';

interface OpenListener {
  readonly server: Server;
  /** With the permissions that it has. */
  readonly at: ListenAt;
}

/** What is open, or has other permissions, before a directory is used; and how to take it back. */
interface Prepared {
  readonly listeners: Map<string, OpenListener>;
  readonly undo: (() => Promise<void> | void)[];
}

/**
 * The listeners of peers, as the directory has them at each moment. A new one is opened before the directory that has it is used,
 * so one that cannot be opened leaves everything as it is; one that is gone is closed afterwards.
 */
@Injectable()
export class PeerListeners implements OnApplicationBootstrap {
  private open: ReadonlyMap<string, OpenListener> = new Map();

  constructor(
    private readonly config: RelayConfig,
    private readonly host: HttpAdapterHost<RelayAdapter>,
    private readonly directory: DirectoryService,
    private readonly shutdown: ShutdownState,
    private readonly log: RelayLog,
  ) {}

  /** @throws ConfigInvalidError if one cannot be opened */
  async onApplicationBootstrap(): Promise<void> {
    let current: KnownDirectory;
    do {
      // SIGHUP may replace it before this is ready.
      ({ current } = this.directory);
      (await this.prepare(current))(true);
    } while (current !== this.directory.current);
    this.directory.beforeChange((next) => this.prepare(next));
  }

  /** Opens those that a directory has and that are not open yet. @throws ConfigInvalidError if one cannot be opened */
  private async prepare(next: KnownDirectory): Promise<Preparation> {
    // What is open then is about to be closed, and nothing else is opened.
    if (this.shutdown.isShuttingDown) {
      return () => undefined;
    }
    const prepared: Prepared = { listeners: new Map(), undo: [] };
    let use: () => void = () => undefined;
    const inUse = new Promise<void>((resolve) => {
      use = resolve;
    });
    try {
      for (const [name, listener] of next.listeners) {
        await this.prepareOne(name, listener, prepared, inUse);
      }
    } catch (error) {
      await takeBack(prepared);
      throw error;
    }
    return (isUsed) => {
      if (isUsed) {
        this.use(next, prepared.listeners);
        use();
      } else {
        void takeBack(prepared);
      }
    };
  }

  private async prepareOne(
    name: string,
    listener: KnownListener,
    { listeners, undo }: Prepared,
    inUse: Promise<void>,
  ): Promise<void> {
    const { at } = listener;
    const before = this.open.get(name);
    try {
      const server = before?.server ?? (await this.openOne(name, at, inUse));
      listeners.set(name, { server, at });
      if (before === undefined) {
        undo.push(() => {
          this.abandon(server);
        });
      } else if (isDeepStrictEqual(before.at, at)) {
        return;
      } else {
        undo.push(() => givePermissions(before.at, false));
      }
      await givePermissions(at, before === undefined);
    } catch (error) {
      const isRemoved = (error as NodeJS.ErrnoException).code === 'ENOENT' && listeners.has(name);
      if (before !== undefined || !isRemoved) {
        throw listenErrorOf(error, name, listener);
      }
      // It is that of the other workers, which this one replaces or joins.
      this.log.error('the socket of a listener was removed: nobody reaches it', { address: name });
    }
  }

  private async openOne(name: string, at: ListenAt, inUse: Promise<void>): Promise<Server> {
    await removeStaleSocket(at);
    return this.host.httpAdapter.openListener(
      at.kind === 'unix' ? { path: at.path } : { host: at.host, port: at.port },
      { listener: name, isProxy: false },
      this.config.upgradeProtocols,
      inUse,
    );
  }

  private use({ hosts, listeners }: KnownDirectory, next: Prepared['listeners']): void {
    this.host.httpAdapter.entrance.isProxy = !hosts.isEmpty;
    const previous = this.open;
    this.open = next;
    for (const [name, { peer, client }] of listeners) {
      if (!previous.has(name)) {
        this.log.info('listener of a peer is listening', {
          address: name,
          peer: peer.name,
          client: client.name,
        });
      }
    }
    for (const [name, { server }] of previous) {
      if (!next.has(name)) {
        this.log.info('listener of a peer was closed', { address: name });
        void this.host.httpAdapter.closeListener(server);
      }
    }
  }

  /** Closes one that was never used, with the connections that wait for that. */
  private abandon(server: Server): void {
    void this.host.httpAdapter.closeListener(server);
    server.closeAllConnections();
  }
}

/** The newest first. What cannot be taken back stays as it is: the reason for taking back is told already. */
async function takeBack({ undo }: Prepared): Promise<void> {
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch {
      // See above.
    }
  }
}
