import { randomBytes } from 'node:crypto';

import {
  CHANNEL_PATH,
  CHANNEL_SUBPROTOCOL,
  CLIENT_ID_HEADER,
  RELAY_HEADER,
  RecordOpener,
  RecordSealer,
  deriveRequestKey,
  deriveResponseKey,
} from '@relay/protocol';

import { Recorder } from '../lifecycle/recorder.js';
import { headBytes, type Field } from '../network/raw-http.js';
import { openSocket, type RawSocket } from '../network/raw-socket.js';
import { framesIn, settingsOf, type ChannelFrame } from '../protocol/channel-frames.js';
import { encodeWebSocketFrame, Opcode, WebSocketFrames } from '../protocol/web-socket-frames.js';
import { headerOf } from './man-in-the-middle.js';
import type { OpeningSpec, ProtocolClient } from './protocol-client.js';

const MAX_CONTENT_BYTES = 65_545;
const HEAD_RECORD = 1;
const DATA_RECORD = 2;
const HEAD_END = '\r\n\r\n';

/** An opening as it is on the wire. */
export interface Opening {
  readonly relayHeader: string;
  readonly fields: readonly Field[];
  readonly bytes: Buffer;
}

/** The opening of a channel by a holder of the secret. @param alter - changes its fields after they were signed */
export function openingBy(
  peer: ProtocolClient,
  spec: OpeningSpec = {},
  alter: (fields: readonly Field[]) => readonly Field[] = (fields) => fields,
): Opening {
  const relayHeader = peer.openingHeader(spec);
  const signature = headerOf(peer.signed(relayHeader, Buffer.alloc(0)), CLIENT_ID_HEADER);
  const fields = alter([
    ['Host', 'b'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', randomBytes(16).toString('base64')],
    ['Sec-WebSocket-Protocol', CHANNEL_SUBPROTOCOL],
    [RELAY_HEADER, relayHeader],
    [CLIENT_ID_HEADER, signature],
  ]);
  return { relayHeader, fields, bytes: headBytes(`GET ${CHANNEL_PATH} HTTP/1.1`, fields) };
}

/** A peer that holds the secret, opens channels byte by byte, and sends in them what no outbound relay would. */
export class ChannelAttacker {
  /** The frames of all records that the relay has sent, except its settings. */
  readonly frames = new Recorder<ChannelFrame>();
  /** The code with which the relay has closed the WebSocket. */
  readonly closeCodes = new Recorder<number>();
  private readonly sealer: RecordSealer;
  private readonly opener: RecordOpener;
  private readonly incoming = new WebSocketFrames();

  private constructor(
    readonly socket: RawSocket,
    relayHeader: string,
    responseHeader: string,
    { session }: ProtocolClient,
  ) {
    this.sealer = new RecordSealer(deriveRequestKey(session.keys, relayHeader));
    const openingKey = deriveResponseKey(session.keys, relayHeader, responseHeader);
    this.opener = new RecordOpener(openingKey, MAX_CONTENT_BYTES);
  }

  /** Opens a channel and sends its first record. */
  static async open(
    peer: ProtocolClient,
    port: number,
    settings: Buffer | 'none' = settingsOf([4, 65_536]),
    spec: OpeningSpec = {},
  ): Promise<ChannelAttacker> {
    const { bytes, relayHeader } = openingBy(peer, spec);
    const socket = openSocket(port);
    socket.write(bytes);
    const received = (await socket.until(HEAD_END)).toString('latin1');
    const responseHeader = /^x-mte-relay: (.*)\r$/im.exec(received)?.[1];
    if (!received.startsWith('HTTP/1.1 101 ') || responseHeader === undefined) {
      throw new Error(`the opening was refused: ${received}`);
    }
    const attacker = new ChannelAttacker(socket, relayHeader, responseHeader, peer);
    attacker.read(Buffer.from(received.slice(received.indexOf(HEAD_END) + 4), 'latin1'));
    socket.socket.on('data', (chunk) => {
      attacker.read(chunk);
    });
    if (settings !== 'none') {
      attacker.sendMessage(attacker.seal(settings, HEAD_RECORD));
    }
    return attacker;
  }

  /** Sends frames in one record. */
  send(...frames: readonly Buffer[]): void {
    this.sendMessage(this.seal(Buffer.concat(frames)));
  }

  /** The next record. */
  seal(content: Buffer, type = DATA_RECORD, isLast = false): Buffer {
    return this.sealer.seal([content, Buffer.of(type)], content.length + 1, isLast);
  }

  /** Sends a WebSocket message. */
  sendMessage(message: Buffer, opcode: number = Opcode.BINARY): void {
    this.socket.write(encodeWebSocketFrame(message, true, { opcode }));
  }

  /** Reads nothing more. */
  stopReading(): void {
    this.socket.socket.pause();
  }

  /** The frames for one stream that have arrived. */
  framesOf(stream: number): ChannelFrame[] {
    return this.frames.items.filter((frame) => frame.stream === stream);
  }

  close(): Promise<void> {
    return this.socket.close();
  }

  private read(chunk: Buffer): void {
    for (const { opcode, payload } of this.incoming.push(chunk)) {
      if (opcode === Opcode.CLOSE) {
        this.closeCodes.add(payload.readUInt16BE());
      } else if (opcode === Opcode.BINARY) {
        const isFirst = this.opener.count === 0;
        const { content } = this.opener.open(payload);
        for (const frame of isFirst ? [] : framesIn(content)) {
          this.frames.add(frame);
        }
      }
    }
  }
}
