import { CHANNEL_PATH } from '@relay/protocol';

import { Recorder } from '../lifecycle/recorder.js';
import { encodeWebSocketFrame, Opcode, WebSocketFrames } from '../protocol/web-socket-frames.js';
import { startTap, type Tap, type TappedConnection } from './tap.js';

/** Which relay sent something: `near` opened the channel. */
export type Side = 'near' | 'far';

/** One record of a channel that passes the attacker. */
export interface PassingRecord {
  readonly record: Buffer;
  readonly from: Side;
  /** From 0, in each direction of each channel. */
  readonly index: number;
  readonly channel: PathChannel;
}

/** A channel on the attacker's path. */
export interface PathChannel {
  /** From 0, in the order in which they were opened. */
  readonly number: number;
  readonly connection: TappedConnection;
  /** Delivers a record to the relay that did not send it. @param from - who is to seem to have sent it */
  deliver(record: Buffer, from: Side): void;
}

/** @returns the records to deliver in place of this one */
export type RecordAttack = (passing: PassingRecord) => readonly Buffer[];

/** An attacker on the path, who understands WebSockets and holds no key. */
export interface ChannelPath extends Tap {
  /** The openings that were sent, as they were on the wire. */
  readonly openings: Recorder<{ readonly head: Buffer; readonly channel: PathChannel }>;
  /** All records, before any attack. */
  readonly records: Recorder<PassingRecord>;
  /** Attacks records from now on; undefined passes them unchanged. */
  attack(attack: RecordAttack | undefined): void;
  /** Called with the head of each opening. @returns what to pass on instead; undefined to hold it */
  attackOpenings(attack: ((head: Buffer) => Buffer | undefined) | undefined): void;
}

const OPENING = Buffer.from(`GET ${CHANNEL_PATH} `);
const HEAD_END = Buffer.from('\r\n\r\n');

/** What one direction of a connection has carried: a head first, if the connection is a channel, and then frames. */
class Direction {
  readonly frames = new WebSocketFrames();
  head = Buffer.alloc(0);
  hasHead = false;
  index = 0;

  /** @returns what follows the head, or undefined as long as it is not complete */
  afterHead(chunk: Buffer): Buffer | undefined {
    if (this.hasHead) {
      return chunk;
    }
    this.head = Buffer.concat([this.head, chunk]);
    const at = this.head.indexOf(HEAD_END);
    if (at === -1) {
      return undefined;
    }
    this.hasHead = true;
    const rest = this.head.subarray(at + HEAD_END.length);
    this.head = this.head.subarray(0, at + HEAD_END.length);
    return rest;
  }
}

interface State {
  readonly channel: PathChannel;
  readonly near: Direction;
  readonly far: Direction;
}

/** @param inboundPort - port of the relay behind the path */
export async function startChannelPath(inboundPort: number): Promise<ChannelPath> {
  const tap = await startTap(inboundPort, { records: false });
  const openings = new Recorder<{ readonly head: Buffer; readonly channel: PathChannel }>();
  const records = new Recorder<PassingRecord>();
  const states = new WeakMap<TappedConnection, State>();
  let attack: RecordAttack | undefined;
  let attackOpening: ((head: Buffer) => Buffer | undefined) | undefined;
  let count = 0;

  const begin = (connection: TappedConnection): State => {
    const channel: PathChannel = {
      number: count,
      connection,
      deliver: (record, from) => {
        const sink = from === 'near' ? connection.far : connection.near;
        sink.write(encodeWebSocketFrame(record, from === 'near'));
      },
    };
    count += 1;
    const state = { channel, near: new Direction(), far: new Direction() };
    states.set(connection, state);
    return state;
  };

  tap.alter((chunk, from, connection) => {
    const isOpening = from === 'near' && chunk.subarray(0, OPENING.length).equals(OPENING);
    const state = states.get(connection) ?? (isOpening ? begin(connection) : undefined);
    if (state === undefined) {
      return chunk;
    }
    const direction = state[from];
    const hadHead = direction.hasHead;
    const rest = direction.afterHead(chunk);
    if (rest === undefined) {
      return undefined;
    }
    const passed: Buffer[] = [];
    if (!hadHead) {
      passed.push(...passHead(state, from));
    }
    for (const frame of direction.frames.push(rest)) {
      const bytes = (payload: Buffer): Buffer =>
        encodeWebSocketFrame(payload, from === 'near', frame);
      if (frame.opcode === Opcode.BINARY) {
        const { channel } = state;
        const passing = { record: frame.payload, from, index: direction.index, channel };
        direction.index += 1;
        records.add(passing);
        passed.push(...(attack?.(passing) ?? [frame.payload]).map(bytes));
      } else {
        passed.push(bytes(frame.payload));
      }
    }
    return passed.length === 0 ? undefined : Buffer.concat(passed);
  });

  const passHead = ({ channel, near, far }: State, from: Side): Buffer[] => {
    if (from === 'far') {
      return [far.head];
    }
    openings.add({ head: near.head, channel });
    const passed = attackOpening === undefined ? near.head : attackOpening(near.head);
    return passed === undefined ? [] : [passed];
  };

  return {
    ...tap,
    openings,
    records,
    attack: (next) => {
      attack = next;
    },
    attackOpenings: (next) => {
      attackOpening = next;
    },
  };
}
