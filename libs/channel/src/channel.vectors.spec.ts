import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  RecordSealer,
  decodeRequestHead,
  deriveRequestKey,
  deriveResponseKey,
} from '@relay/protocol';
import { describe, expect, it } from 'vitest';

import { inboundEnd, outboundEnd, StreamLog } from '../../../test/support/protocol/channel-ends.js';
import { decodeFrames } from './decode-frames.js';
import { ACK, END_STREAM, FrameType, UPGRADE, type Frame } from './frame.js';
import { RecordContent } from './record-content.js';

interface KnownRecord {
  readonly index: number;
  readonly note: string;
  readonly last: boolean;
  readonly plaintext: string;
  readonly record?: string;
  readonly record_length?: number;
  readonly record_sha256?: string;
}
type Sealable = string | { readonly seal: string; readonly index: number; readonly last: boolean };
interface KnownCase {
  readonly rule: string;
  readonly to: 'A' | 'B';
  readonly kind: 'chan' | 'conn';
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/channel-1.json', import.meta.url), 'utf8'),
) as {
  readonly k_c2s: string;
  readonly k_s2c: string;
  readonly k_req: string;
  readonly k_res: string;
  readonly request_x_mte_relay: string;
  readonly response_x_mte_relay: string;
  readonly heads: Readonly<Record<'get' | 'post', string>>;
  readonly from_a: readonly KnownRecord[];
  readonly from_b: readonly KnownRecord[];
  readonly conn: Readonly<Record<'k_req' | 'k_res', string>> &
    Readonly<Record<'from_a' | 'from_b', readonly KnownRecord[]>>;
  readonly negative: readonly (KnownCase & {
    readonly outcome: string;
    readonly before: readonly Sealable[];
    readonly record: Sealable;
  })[];
  readonly positive: readonly (KnownCase & {
    readonly records: readonly Sealable[];
    readonly expect: readonly string[];
  })[];
};

/** `xx{n}` stands for the octet xx, n times. */
const hex = (text: string): Buffer =>
  Buffer.from(
    text.replaceAll(/([0-9a-f]{2})\{(\d+)\}/g, (_, octet: string, times: string) =>
      octet.repeat(Number(times)),
    ),
    'hex',
  );

const chan = { request: hex(vectors.k_req), response: hex(vectors.k_res) };
const conn = { request: hex(vectors.conn.k_req), response: hex(vectors.conn.k_res) };

/** Seals the record of this index; those before it are sealed as well and thrown away. */
function sealAt(key: Buffer, { seal, index, last }: Exclude<Sealable, string>): Buffer {
  const sealer = new RecordSealer(key);
  for (let skipped = 0; skipped < index; skipped += 1) {
    sealer.seal([], 0, false);
  }
  const plaintext = hex(seal);
  return sealer.seal([plaintext], plaintext.length, last);
}

const recordOf = (key: Buffer, record: Sealable): Buffer =>
  typeof record === 'string' ? hex(record) : sealAt(key, record);

/** The content of a plaintext whose type is 2: without padding and type. */
function contentOf(plaintext: Buffer): Buffer {
  let end = plaintext.length;
  while (plaintext[end - 1] === 0) {
    end -= 1;
  }
  return plaintext.subarray(0, end - 1);
}

function append(content: RecordContent, frame: Frame): void {
  switch (frame.type) {
    case FrameType.DATA:
      content.append(frame.type, frame.isLast ? END_STREAM : 0, frame.stream, frame.octets);
      return;
    case FrameType.HEADERS:
      content.append(
        frame.type,
        (frame.isLast ? END_STREAM : 0) | (frame.isUpgrade ? UPGRADE : 0),
        frame.stream,
        frame.head,
      );
      return;
    case FrameType.RST_STREAM:
      content.appendNumbers(frame.type, frame.stream, frame.code);
      return;
    case FrameType.WINDOW_UPDATE:
      content.appendNumbers(frame.type, frame.stream, frame.increment);
      return;
    case FrameType.GOAWAY:
      content.appendNumbers(frame.type, 0, frame.lastStream, 0);
      return;
    case FrameType.PING:
      content.appendPing(frame.isAck ? ACK : 0, frame.octets);
  }
}

describe('the keys of a channel', () => {
  it('are derived from those of its session and the two relay headers', () => {
    const { request_x_mte_relay: request, response_x_mte_relay: response } = vectors;
    const keys = { clientToServer: hex(vectors.k_c2s), serverToClient: hex(vectors.k_s2c) };
    expect(deriveRequestKey(keys, request)).toEqual(chan.request);
    expect(deriveResponseKey(keys, request, response)).toEqual(chan.response);
  });
});

describe.each([
  ['outbound relay', chan.request, vectors.from_a],
  ['inbound relay', chan.response, vectors.from_b],
  ['outbound relay of an upgraded connection', conn.request, vectors.conn.from_a],
  ['inbound relay of an upgraded connection', conn.response, vectors.conn.from_b],
])('the known records of the %s', (_, key, records) => {
  it.each(records.filter(({ index, last }) => index > 0 && !last))(
    '$index ($note) is what its frames are encoded and sealed to',
    ({ index, plaintext, record, record_length, record_sha256 }) => {
      const content = new RecordContent();
      for (const frame of decodeFrames(contentOf(hex(plaintext)))) {
        append(content, frame);
      }
      const sealer = new RecordSealer(key);
      for (let skipped = 0; skipped < index; skipped += 1) {
        sealer.seal([], 0, false);
      }
      const sealed = content.seal(sealer);
      if (record === undefined) {
        expect(sealed).toHaveLength(record_length!);
        expect(createHash('sha256').update(sealed).digest('hex')).toBe(record_sha256);
      } else {
        expect(sealed.toString('hex')).toBe(record);
      }
    },
  );
});

/** As the note of the vectors says: A has opened stream 1 with a GET, and stream 3 with a POST that goes on. */
function endOf({ to, kind }: KnownCase) {
  const keys = kind === 'chan' ? chan : conn;
  const isConnection = kind === 'conn';
  if (to === 'B') {
    return {
      key: keys.request,
      ...inboundEnd(
        {
          isConnection,
          sealingKey: keys.response,
          openingKey: keys.request,
          maxConcurrentStreams: isConnection ? 1 : 256,
        },
        ({ head, log }) => {
          log.isTaking = decodeRequestHead(head).path !== '/hold';
          return log;
        },
      ),
    };
  }
  const end = outboundEnd({ isConnection, sealingKey: keys.request, openingKey: keys.response });
  return { key: keys.response, accepted: [], ...end };
}

function openStreams(end: ReturnType<typeof endOf>): void {
  if ('openStream' in end.channel && end.channel.hasPlace && end.channel.streamCount === 0) {
    const { get, post } = vectors.heads;
    end.channel.openStream({ bytes: hex(get), isLast: true, isUpgrade: false }, new StreamLog());
    end.channel.openStream({ bytes: hex(post), isLast: false, isUpgrade: false }, new StreamLog());
    end.transport.endTurn();
  }
}

const isChannelError = ({ outcome }: { readonly outcome: string }): boolean =>
  outcome === 'channel error';

describe('a channel is broken by', () => {
  it.each(vectors.negative.filter(isChannelError))('$rule, to $to ($kind)', (negative) => {
    const end = endOf(negative);
    for (const record of negative.before) {
      end.channel.receive(recordOf(end.key, record));
      openStreams(end);
    }
    expect(end.told.filter((told) => told.startsWith('broken'))).toEqual([]);
    end.channel.receive(recordOf(end.key, negative.record));
    expect(end.told.filter((told) => told.startsWith('broken'))).toHaveLength(1);
  });
});

describe('a channel accepts', () => {
  it.each(vectors.positive)('$rule', (positive) => {
    const end = endOf(positive);
    for (const record of positive.records) {
      end.channel.receive(recordOf(end.key, record));
      end.transport.endTurn();
    }
    expect(end.told.filter((told) => told.startsWith('broken'))).toEqual([]);
    expect(end.accepted.map(({ head }) => decodeRequestHead(head).path)).toEqual(positive.expect);
  });
});
