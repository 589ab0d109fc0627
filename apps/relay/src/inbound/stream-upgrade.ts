import type { Socket } from 'node:net';

import { StreamCode, type Stream, type StreamEvents, type StreamFailure } from '@relay/channel';
import { JoinedEnds, SocketEnd } from '@relay/http';
import { HeadInvalidError, encodeSwitching, isSameProtocol } from '@relay/protocol';

import { StreamEnd } from '../channels/stream-end.js';
import type { UpstreamSettings } from '../upstream/upstream-settings.js';
import type { WantedUpgrade } from './opened-request.js';
import type { StreamExchange } from './stream-exchange.js';
import { switchingResponse } from './upstream-response.js';

/** The upgrade that a stream asks for. protocol.md section 11.8. */
export class StreamUpgrade implements WantedUpgrade {
  private joined: JoinedEnds | undefined;

  /** @param protocol - as the client has named it */
  constructor(
    readonly protocol: string,
    private readonly stream: Stream,
    private readonly settings: UpstreamSettings,
  ) {}

  /** The ends of the connection, if it was upgraded. */
  get ends(): JoinedEnds | undefined {
    return this.joined;
  }

  accept(rawFields: readonly (string | Buffer)[], socket: Socket): void {
    const { tunnelResponseHeaders, idleTimeoutMs } = this.settings;
    const { fields, protocol } = switchingResponse(rawFields, tunnelResponseHeaders);
    if (!isSameProtocol(protocol, this.protocol)) {
      throw new HeadInvalidError('the upstream switched to another protocol than it was asked for');
    }
    const bytes = encodeSwitching(fields, protocol);
    this.stream.start({ bytes, isLast: false, isUpgrade: true });
    const peer = new StreamEnd(this.stream, StreamCode.INTERNAL_ERROR);
    this.joined = new JoinedEnds(peer, new SocketEnd(socket), idleTimeoutMs);
    // What the upstream has yet to read does not keep the channel, whose end the peer awaits for only some seconds.
    this.stream.release();
    // It may have been paused within the body of the request.
    this.stream.resume();
    this.joined.run();
  }
}

/**
 * Hears of a stream that asks for an upgrade until it has its 101. Of the peer's octets, only the body of the request may come
 * before that, and not its end.
 */
export class AskingStream implements StreamEvents {
  /** @param missingBytes - of the body */
  constructor(
    private readonly stream: Stream,
    private readonly exchange: StreamExchange,
    private missingBytes: number,
  ) {}

  onData(octets: Buffer): boolean {
    this.missingBytes -= octets.length;
    if (this.missingBytes < 0) {
      this.refuse();
      return true;
    }
    const goesOn = this.exchange.onData(octets);
    if (this.missingBytes === 0) {
      this.exchange.onEnd();
    }
    return goesOn;
  }

  onEnd(): void {
    // Behind a response that is no 101, the peer has to end its side.
    if (!this.exchange.hasResponded || this.missingBytes > 0) {
      this.refuse();
    }
  }

  onDrain(): void {
    this.exchange.onDrain();
  }

  onUnwanted(): void {
    this.exchange.onUnwanted();
  }

  onFailure(failure: StreamFailure, cause?: Error): void {
    this.exchange.onFailure(failure, cause);
  }

  /** PROTOCOL_ERROR proves to the peer that nothing was forwarded, so it is said only before that. */
  private refuse(): void {
    const { hasBegun } = this.exchange;
    this.stream.reset(hasBegun ? StreamCode.INTERNAL_ERROR : StreamCode.PROTOCOL_ERROR);
    this.exchange.onFailure('reset');
  }
}
