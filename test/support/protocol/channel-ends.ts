import {
  DEFAULT_WINDOW_BYTES,
  InboundChannel,
  OutboundChannel,
  WaitingOctets,
  type ChannelEvents,
  type ChannelOptions,
  type ChannelTransport,
  type InboundChannelEvents,
  type OutgoingHead,
  type OutboundStreamEvents,
  type Stream,
  type StreamEvents,
  type StreamFailure,
} from '@relay/channel';

/** What one end of a channel has told, in words. */
export type Told = string[];

/** A connection without a socket: what was sent waits until the test delivers it, and turns end when the test says so. */
export class HeldTransport implements ChannelTransport {
  /** Records that have not left. */
  readonly held: { readonly record: Buffer; readonly onLeft: () => void }[] = [];
  unsentBytes = 0;
  private flushes: (() => void)[] = [];

  send(record: Buffer, onLeft: () => void): void {
    this.held.push({ record, onLeft });
    this.unsentBytes += record.length;
  }

  schedule(flush: () => void): void {
    this.flushes.push(flush);
  }

  /** Whether a turn is due. */
  get isDue(): boolean {
    return this.flushes.length > 0;
  }

  /** Ends the turn of the event loop. */
  endTurn(): void {
    const flushes = this.flushes;
    this.flushes = [];
    flushes.forEach((flush) => {
      flush();
    });
  }

  /** The first record leaves the socket. */
  leave(): Buffer | undefined {
    const first = this.held.shift();
    if (first === undefined) {
      return undefined;
    }
    this.unsentBytes -= first.record.length;
    first.onLeft();
    return first.record;
  }
}

const SEALING_KEY = Buffer.alloc(32, 1);
const OPENING_KEY = Buffer.alloc(32, 2);

/** What the two ends of a channel are made with. */
export interface EndOptions extends Partial<ChannelOptions> {
  readonly maxConcurrentStreams?: number;
  readonly stallTimeoutMs?: number;
}

/** A stream at one end, with all that it was told. */
export class StreamLog implements OutboundStreamEvents {
  readonly chunks: Buffer[] = [];
  head: Buffer | undefined;
  hasEnded = false;
  isUnwanted = false;
  drains = 0;
  failure: StreamFailure | undefined;
  /** Whether the consumer takes octets; if not, it asks to pause after each piece. */
  isTaking = true;

  get octets(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onHead(head: Buffer): void {
    this.head = Buffer.from(head);
  }

  onData(octets: Buffer): boolean {
    this.chunks.push(Buffer.from(octets));
    return this.isTaking;
  }

  onEnd(): void {
    this.hasEnded = true;
  }

  onDrain(): void {
    this.drains += 1;
  }

  onUnwanted(): void {
    this.isUnwanted = true;
  }

  onFailure(failure: StreamFailure): void {
    this.failure = failure;
  }
}

/** A stream that the inbound end has accepted. */
export interface AcceptedStream {
  readonly stream: Stream;
  readonly log: StreamLog;
  readonly head: Buffer;
}

/** The outbound end, over a transport that the test moves. */
export function outboundEnd(options: EndOptions = {}): {
  readonly channel: OutboundChannel;
  readonly transport: HeldTransport;
  readonly told: Told;
} {
  const transport = new HeldTransport();
  const told: Told = [];
  return { channel: new OutboundChannel(made(options), transport, telling(told)), transport, told };
}

/** The inbound end, likewise. `listen` chooses what hears of a new stream. */
export function inboundEnd(
  options: EndOptions = {},
  listen?: (accepted: AcceptedStream) => StreamEvents | undefined,
): {
  readonly channel: InboundChannel;
  readonly transport: HeldTransport;
  readonly told: Told;
  readonly accepted: AcceptedStream[];
} {
  const transport = new HeldTransport();
  const told: Told = [];
  const accepted: AcceptedStream[] = [];
  const events: InboundChannelEvents = {
    ...telling(told),
    onStream: (stream, head) => {
      const one = { stream, head: Buffer.from(head), log: new StreamLog() };
      accepted.push(one);
      return listen?.(one) ?? one.log;
    },
  };
  const all = made({ sealingKey: OPENING_KEY, openingKey: SEALING_KEY, ...options });
  const limit = {
    maxConcurrentStreams: options.maxConcurrentStreams ?? 256,
    stallTimeoutMs: options.stallTimeoutMs ?? 0,
  };
  return {
    channel: new InboundChannel({ ...all, ...limit }, transport, events),
    transport,
    told,
    accepted,
  };
}

function made(options: EndOptions): ChannelOptions {
  return {
    sealingKey: SEALING_KEY,
    openingKey: OPENING_KEY,
    isConnection: false,
    initialWindowBytes: DEFAULT_WINDOW_BYTES,
    waiting: new WaitingOctets(256 * 2 ** 20),
    ...options,
  };
}

function telling(told: Told): ChannelEvents {
  return {
    onOpen: () => told.push('open'),
    onDraining: () => told.push('draining'),
    onReset: () => undefined,
    onEnd: () => told.push('end'),
    onBroken: (cause) => told.push(`broken: ${cause.message}`),
  };
}

/** Delivers everything that either end sends, until nothing more is due. */
export function settle(
  a: { readonly channel: OutboundChannel; readonly transport: HeldTransport },
  b: { readonly channel: InboundChannel; readonly transport: HeldTransport },
): void {
  const ends = [
    { from: a, to: b },
    { from: b, to: a },
  ];
  let isMoving = true;
  while (isMoving) {
    isMoving = false;
    for (const { from, to } of ends) {
      if (from.transport.isDue) {
        from.transport.endTurn();
        isMoving = true;
      }
      for (
        let record = from.transport.leave();
        record !== undefined;
        record = from.transport.leave()
      ) {
        from.channel.drained();
        to.channel.receive(record);
        isMoving = true;
      }
    }
  }
}

/** A head of one octet: a channel does not decode heads. */
export const shortHead = (isLast = false): OutgoingHead => ({
  bytes: Buffer.of(1),
  isLast,
  isUpgrade: false,
});

/** Two ends whose settings have arrived. */
export interface EndPair {
  readonly a: ReturnType<typeof outboundEnd>;
  readonly b: ReturnType<typeof inboundEnd>;
}

export function openPair(options: EndOptions = {}): EndPair {
  const a = outboundEnd(options);
  const b = inboundEnd(options);
  settle(a, b);
  return { a, b };
}

/** Opens a stream, which has arrived at the inbound end. */
export function openStream({ a, b }: EndPair, isLast = false) {
  const log = new StreamLog();
  const stream = a.channel.openStream(shortHead(isLast), log);
  settle(a, b);
  return { stream, log, accepted: b.accepted.at(-1)! };
}
