import type { Stream } from '@relay/channel';
import { describe, expect, it } from 'vitest';

import { StreamBody } from './stream-body.js';

const bodyOf = (resumed: () => void = () => undefined): StreamBody =>
  new StreamBody({ resume: resumed } as unknown as Stream, 0);

describe('#83 the body of a stream that nobody reads', () => {
  it('asks for nothing more after a few hundred pieces, however small', () => {
    const body = bodyOf();
    let pieces = 1;
    while (body.push(Buffer.alloc(1))) {
      pieces += 1;
      expect(pieces).toBeLessThan(1_000);
    }
    expect(body.bytes).toBe(pieces);
  });

  it('goes on, with every octet in its place, once it is read', async () => {
    let resumes = 0;
    const body = bodyOf(() => {
      resumes += 1;
    });
    const sent: number[] = [];
    do {
      sent.push(sent.length % 251);
    } while (body.push(Buffer.of(sent.at(-1) ?? 0)));
    body.end();
    const read: Buffer[] = [];
    for await (const chunk of body) {
      read.push(chunk);
    }
    expect([...Buffer.concat(read)]).toEqual(sent);
    expect(resumes).toBe(1);
  });
});
