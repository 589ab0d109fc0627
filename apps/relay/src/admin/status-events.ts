import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { Injectable } from '@nestjs/common';
import type { Status } from '@relay/status';

import { StatusService } from '../status/status.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { Watcher, type StatusEvent } from './watcher.js';

/** The most who can watch one process. */
export const MAX_WATCHERS = 16;

const INTERVAL_MS = 1_000;

/** What browsers wait before they connect again. */
const FIRST_EVENT = 'retry: 1000\n\n';

/**
 * Tells everybody who watches the status of the relay once a second, by server-sent events. It is asked for once for all of them,
 * and not at all while nobody watches.
 */
@Injectable()
export class StatusEvents {
  /** By the connection, of which each can carry one: nothing else can follow it there. */
  private readonly watchers = new Map<Socket, Watcher>();
  private timer: NodeJS.Timeout | undefined;
  private isAsking = false;
  private last: StatusEvent | undefined;

  constructor(
    private readonly status: StatusService,
    private readonly log: RelayLog,
  ) {}

  get isFull(): boolean {
    return this.watchers.size >= MAX_WATCHERS;
  }

  /** Whether events are sent on a connection. */
  has(socket: Socket): boolean {
    return this.watchers.has(socket);
  }

  /** Sends events on a response whose head has been written, until its connection, which has no events yet, ends. */
  add(response: ServerResponse): void {
    const { socket } = response.req;
    const watcher = new Watcher(response);
    this.watchers.set(socket, watcher);
    socket.once('close', () => {
      this.remove(socket);
    });
    response.write(FIRST_EVENT);
    if (this.last !== undefined) {
      watcher.send(this.last);
    }
    if (this.timer === undefined) {
      this.timer = setInterval(() => void this.tick(), INTERVAL_MS);
      void this.tick();
    }
  }

  /** Ends all responses. */
  end(): void {
    for (const [socket, watcher] of this.watchers) {
      watcher.end();
      this.remove(socket);
    }
  }

  private remove(socket: Socket): void {
    this.watchers.delete(socket);
    if (this.watchers.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.last = undefined;
    }
  }

  /** If the status cannot be had, or not in time, nothing is sent: the page says how old is what it shows. */
  private async tick(): Promise<void> {
    if (this.isAsking) {
      return;
    }
    this.isAsking = true;
    try {
      const event = this.eventOf(await this.status.current());
      if (this.watchers.size > 0) {
        this.last = event;
      }
      for (const watcher of this.watchers.values()) {
        watcher.send(event);
      }
    } catch (error) {
      this.log.debug('the status could not be sent to those who watch', { error });
    } finally {
      this.isAsking = false;
    }
  }

  private eventOf({ report, history }: Status): StatusEvent {
    const historyId = history.seconds.at(-1);
    const { last } = this;
    return {
      report: eventText('report', report),
      history:
        last !== undefined && last.historyId === historyId
          ? last.history
          : eventText('history', history),
      historyId,
    };
  }
}

function eventText(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
