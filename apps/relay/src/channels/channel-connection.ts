import {
  ChannelBrokenError,
  type ChannelEvents,
  type ChannelTransport,
  type InboundChannel,
  type OutboundChannel,
} from '@relay/channel';
import type { Clock } from '@relay/clock';
import { countReceived } from '@relay/http';
import type { WebSocket } from 'ws';

import { WEB_SOCKET_OPTIONS } from './web-socket-options.js';
import { WebSocketTransport } from './web-socket-transport.js';

/** Within this time after the handshake the first record of the peer must arrive. protocol.md section 11.1. */
const FIRST_RECORD_TIMEOUT_MS = 5_000;
/** More WebSocket pings within a second end the channel. protocol.md section 11.5. */
const MAX_PINGS_PER_SECOND = 10;
const SECOND_MS = 1_000;

/** Close codes of RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;
const POLICY_VIOLATION = 1008;
/** What `ws` says of a connection that ended without a close frame. */
const ABNORMAL_CLOSURE = 1006;

/** What a connection tells the role that it belongs to. */
export interface ConnectionListener {
  /** The peer has proved to have the keys: streams may begin. */
  onOpen(): void;
  /** The channel takes no new streams. */
  onDraining(): void;
  /** A stream was ended by RST_STREAM, for statistics only. @param isOwn - whether this side has sent it */
  onReset(code: number, isOwn: boolean): void;
  /** The channel is over, in order or because of `cause`. All its streams have been told. Nothing follows. */
  onEnd(cause: Error | undefined): void;
}

/** A WebSocket and the end of the channel that it carries: whichever of them ends also ends the other. */
export class ChannelConnection<C extends InboundChannel | OutboundChannel> {
  readonly channel: C;
  private isOpened = false;
  private pings = 0;
  private pingsSinceMs = -Infinity;
  private readonly openedAtMs: number;

  /**
   * @param socket - after its handshake
   * @param create - makes this end of the channel
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    create: (transport: ChannelTransport, events: ChannelEvents) => C,
    listener: ConnectionListener,
  ) {
    this.openedAtMs = clock.monotonicMs();
    const transport = new WebSocketTransport(
      socket,
      () => {
        this.channel.drained();
      },
      (cause) => {
        this.channel.break(cause);
      },
    );
    this.channel = create(transport, {
      onOpen: () => {
        this.isOpened = true;
        listener.onOpen();
      },
      onDraining: () => {
        listener.onDraining();
      },
      onReset: (code, isOwn) => {
        listener.onReset(code, isOwn);
      },
      onEnd: () => {
        this.close(GOING_AWAY);
        listener.onEnd(undefined);
      },
      onBroken: (cause) => {
        this.close(PROTOCOL_ERROR);
        listener.onEnd(cause);
      },
    });
    this.listen();
  }

  /** Whether the first record of the peer has arrived. */
  get hasOpened(): boolean {
    return this.isOpened;
  }

  /** To be called about once a second. */
  check(): void {
    const nowMs = this.clock.monotonicMs();
    if (!this.isOpened && nowMs - this.openedAtMs >= FIRST_RECORD_TIMEOUT_MS) {
      this.channel.break(new ChannelBrokenError('the peer sent no first record in time'));
    } else {
      this.channel.checkLiveness(nowMs);
    }
  }

  /** Ends the channel without waiting for anything. */
  terminate(cause: Error): void {
    this.channel.break(cause);
    this.socket.terminate();
  }

  /** @returns how many WebSocket pings came within this second */
  private countPing(): number {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.pingsSinceMs >= SECOND_MS) {
      this.pingsSinceMs = nowMs;
      this.pings = 0;
    }
    this.pings += 1;
    return this.pings;
  }

  /** `ws` itself has no limit for a peer that has ended its half of the connection, and does not read. */
  private close(code: number): void {
    const { socket } = this;
    socket.close(code);
    if (socket.readyState === socket.CLOSED) {
      return;
    }
    const limit = setTimeout(() => {
      socket.terminate();
    }, WEB_SOCKET_OPTIONS.closeTimeout).unref();
    // The timer would keep all that the connection had in memory.
    socket.once('close', () => {
      clearTimeout(limit);
    });
  }

  private listen(): void {
    const { socket, channel } = this;
    socket.on('message', (message: Buffer, isBinary: boolean) => {
      countReceived(message.length);
      if (isBinary) {
        channel.receive(message);
      } else {
        channel.break(new ChannelBrokenError('the peer sent a text message'));
      }
    });
    socket.on('ping', () => {
      if (this.countPing() > MAX_PINGS_PER_SECOND) {
        socket.close(POLICY_VIOLATION);
        channel.break(new ChannelBrokenError('the peer sent too many WebSocket pings'));
      }
    });
    socket.on('error', (error) => {
      channel.break(error);
    });
    socket.on('close', (code) => {
      channel.break(
        code === ABNORMAL_CLOSURE
          ? new Error('the connection was lost')
          : new ChannelBrokenError(`the connection was closed, with code ${code}`),
      );
    });
  }
}
