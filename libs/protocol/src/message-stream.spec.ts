import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import { byteByByte, receive } from '../../../test/support/protocol/records.js';
import { MessageOpener } from './message-opener.js';
import { MessageSealer } from './message-sealer.js';
import { MessageTruncatedError } from './protocol.errors.js';
import { MAX_CONTENT_BYTES } from './record.js';

const key = randomBytes(32);
const head = Buffer.from('the head of a message');

describe('a message of four records', () => {
  const contents = [head, Buffer.of(0), randomBytes(300), Buffer.from('ends with zeros\0\0\0')];
  let wire: Buffer;

  beforeAll(() => {
    const sealer = new MessageSealer(key);
    wire = Buffer.concat(
      contents.map((content, at) =>
        at === 0 ? sealer.sealHead(content, false) : sealer.sealData(content, at === 3),
      ),
    );
  });

  it('opens from one chunk', () => {
    const opener = new MessageOpener(key);
    expect(opener.push(wire)).toEqual(
      contents.map((content, at) => ({ content, isLast: at === 3 })),
    );
    opener.finish();
    expect(opener.isComplete).toBe(true);
  });

  it('opens byte by byte', () => {
    expect(receive(new MessageOpener(key), byteByByte(wire))).toEqual({
      contents,
      isComplete: true,
      error: undefined,
    });
  });

  it('opens from two chunks, split at any place', () => {
    for (let cut = 0; cut <= wire.length; cut += 1) {
      const received = receive(new MessageOpener(key), [wire.subarray(0, cut), wire.subarray(cut)]);
      expect(received.isComplete).toBe(true);
      expect(Buffer.concat(received.contents).equals(Buffer.concat(contents))).toBe(true);
    }
  });

  it('opens despite empty chunks before and after it', () => {
    const empty = Buffer.alloc(0);
    expect(receive(new MessageOpener(key), [empty, wire, empty])).toEqual({
      contents,
      isComplete: true,
      error: undefined,
    });
  });

  it('is rejected if it is truncated at any place', () => {
    for (let cut = 0; cut < wire.length; cut += 1) {
      for (const chunks of [[wire.subarray(0, cut)], byteByByte(wire.subarray(0, cut))]) {
        const received = receive(new MessageOpener(key), chunks);
        expect(received.error).toBeInstanceOf(MessageTruncatedError);
        expect(received.isComplete).toBe(false);
        expect(received.contents).toEqual(contents.slice(0, received.contents.length));
        expect(received.contents.length).toBeLessThan(contents.length);
      }
    }
  });

  it('does not open under another key', () => {
    const received = receive(new MessageOpener(randomBytes(32)), [wire]);
    expect(received).toMatchObject({
      contents: [],
      isComplete: false,
      error: { code: 'RELAY_RECORD_UNAUTHENTIC' },
    });
  });

  it('gives contents that stay unchanged when the chunk is reused', () => {
    const reused = Buffer.from(wire);
    const opened = new MessageOpener(key).push(reused);
    reused.fill(0xff);
    expect(opened.map(({ content }) => content)).toEqual(contents);
  });

  it('opens although each chunk is reused before its record is complete', () => {
    const opener = new MessageOpener(key);
    const received = Array.from(wire, (byte) => byte).flatMap((byte) => {
      const chunk = Buffer.of(byte);
      const opened = opener.push(chunk);
      chunk.fill(0xff);
      return opened;
    });
    expect(received.map(({ content }) => content)).toEqual(contents);
  });
});

describe('the content of a record', () => {
  const limit = MAX_CONTENT_BYTES;

  it('is at most 65,536 bytes long', () => {
    expect(limit).toBe(65_536);
  });

  it.each([1, limit - 1, limit])('may be a head or data of %i bytes', (bytes) => {
    const content = randomBytes(bytes);
    const sealer = new MessageSealer(key);
    const wire = [sealer.sealHead(content, false), sealer.sealData(content, true)];
    for (const chunks of [wire, [Buffer.concat(wire)]]) {
      const { contents, ...outcome } = receive(new MessageOpener(key), chunks);
      expect(outcome).toEqual({ isComplete: true, error: undefined });
      expect(contents.map((opened) => opened.equals(content))).toEqual([true, true]);
    }
  });

  it('may be an empty head without a body', () => {
    const wire = new MessageSealer(key).sealHead(Buffer.alloc(0), true);
    expect(receive(new MessageOpener(key), [wire])).toEqual({
      contents: [Buffer.alloc(0)],
      isComplete: true,
      error: undefined,
    });
  });

  it('may be empty in the last data record', () => {
    const sealer = new MessageSealer(key);
    const wire = [
      sealer.sealHead(head, false),
      sealer.sealData(Buffer.from('a'), false),
      sealer.sealData(Buffer.alloc(0), true),
    ];
    expect(receive(new MessageOpener(key), wire).contents).toEqual([
      head,
      Buffer.from('a'),
      Buffer.alloc(0),
    ]);
  });

  it('is padded to a multiple of 256 bytes in a head, and not padded in data', () => {
    for (let bytes = 0; bytes <= 520; bytes += 1) {
      const sealer = new MessageSealer(key);
      const record = sealer.sealHead(Buffer.alloc(bytes, 1), false);
      expect(record.length - 4 - 16).toBe(Math.ceil((bytes + 1) / 256) * 256);
      expect(sealer.sealData(Buffer.alloc(bytes + 1), false)).toHaveLength(4 + bytes + 1 + 1 + 16);
    }
  });
});
