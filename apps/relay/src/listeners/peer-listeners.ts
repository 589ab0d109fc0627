import type { Server } from 'node:http';

import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ConfigInvalidError, RelayConfig } from '@relay/config';

import { DirectoryService, type Preparation } from '../directory/directory.service.js';
import type { KnownDirectory } from '../directory/known-directory.js';
import type { KnownListener } from '../directory/known-listeners.js';
import type { RelayAdapter } from '../server/relay-adapter.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { listenErrorOf } from './listen-error.js';
import { givePermissions, removeStaleSocket } from './unix-socket.js';

/**
 * The listeners of peers, as the directory has them at each moment. A new one is opened before the directory that has it is used,
 * so one that cannot be opened leaves everything as it is; one that is gone is closed afterwards.
 */
@Injectable()
export class PeerListeners implements OnApplicationBootstrap {
  private readonly open = new Map<string, Server>();

  constructor(
    private readonly config: RelayConfig,
    private readonly host: HttpAdapterHost<RelayAdapter>,
    private readonly directory: DirectoryService,
    private readonly log: RelayLog,
  ) {}

  /** @throws ConfigInvalidError if one cannot be opened */
  async onApplicationBootstrap(): Promise<void> {
    const { current } = this.directory;
    (await this.prepare(current))(true);
    this.directory.beforeChange((next) => this.prepare(next));
  }

  /** Opens those that a directory has and that are not open yet. @throws ConfigInvalidError if one cannot be opened */
  private async prepare({ hosts, listeners }: KnownDirectory): Promise<Preparation> {
    const opened: string[] = [];
    const closeThose = (names: readonly string[]): void => {
      for (const name of names) {
        this.close(name);
      }
    };
    try {
      for (const [name, listener] of listeners.all) {
        if (!this.open.has(name)) {
          this.open.set(name, await this.openOne(name, listener));
          opened.push(name);
        }
        await givePermissions(listener.at);
      }
    } catch (error) {
      closeThose(opened);
      throw error;
    }
    return (isUsed) => {
      if (isUsed) {
        this.host.httpAdapter.entrance.isProxy = !hosts.areNone;
        closeThose([...this.open.keys()].filter((name) => !listeners.all.has(name)));
      } else {
        closeThose(opened);
      }
    };
  }

  /** @throws ConfigInvalidError */
  private async openOne(name: string, { at, peer, client }: KnownListener): Promise<Server> {
    const { upgradeProtocols } = this.config;
    const options = at.kind === 'unix' ? { path: at.path } : { host: at.host, port: at.port };
    try {
      await removeStaleSocket(at);
      const entrance = { listener: name, isProxy: false };
      const server = await this.host.httpAdapter.openListener(options, entrance, upgradeProtocols);
      this.log.info('listener of a peer is listening', {
        address: name,
        peer: peer.name,
        client: client.name,
      });
      return server;
    } catch (error) {
      throw new ConfigInvalidError([
        `peers.${peer.name}.listen: ${name} cannot be opened: ${listenErrorOf(error, at)}`,
      ]);
    }
  }

  private close(name: string): void {
    const server = this.open.get(name);
    if (server !== undefined) {
      this.open.delete(name);
      this.log.info('listener of a peer was closed', { address: name });
      void this.host.httpAdapter.closeListener(server);
    }
  }
}
