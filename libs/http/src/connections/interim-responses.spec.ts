import { describe, expect, it } from 'vitest';

import { InterimResponses } from './interim-responses.js';

const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nHTTP/1.1 100 Continue\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: 1\r\n\r\n';

/** What is left of a response that arrives in chunks of the given size. */
function left(response: string, size = response.length): string {
  const interim = new InterimResponses();
  interim.expect();
  const chunks: string[] = [];
  for (let at = 0; at < response.length; at += size) {
    const chunk = Buffer.from(response.slice(at, at + size), 'latin1');
    chunks.push(interim.removeFrom(chunk).toString('latin1'));
  }
  return chunks.join('');
}

describe('interim responses are removed', () => {
  it.each(['', CONTINUE, HINTS, CONTINUE + HINTS + CONTINUE])(
    'and only they are, in chunks of any size: %j',
    (before) => {
      for (let size = 1; size <= before.length + FINAL.length; size += 1) {
        expect(left(before + FINAL, size)).toBe(FINAL);
      }
    },
  );

  it('for the next request as well', () => {
    const interim = new InterimResponses();
    for (let count = 0; count < 3; count += 1) {
      interim.expect();
      expect(interim.removeFrom(Buffer.from(CONTINUE))).toHaveLength(0);
      expect(interim.removeFrom(Buffer.from(FINAL)).toString()).toBe(FINAL);
      expect(interim.removeFrom(Buffer.from(CONTINUE)).toString()).toBe(CONTINUE);
    }
  });

  it('unless no request waits for a response', () => {
    expect(new InterimResponses().removeFrom(Buffer.from(CONTINUE)).toString()).toBe(CONTINUE);
  });
});

describe('what is no interim response is left to the parser', () => {
  it.each([
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 1000 x\r\n\r\n',
    'HTTP/1.1 10\r\n\r\n',
    'HTTP/2.0 100 x\r\n\r\n',
    'http/1.1 100 x\r\n\r\n',
    'HTTP/1.1 100\n\n',
    ' HTTP/1.1 100 x\r\n\r\n',
    'SSH-2.0-OpenSSH_9.6\r\n',
    'H',
    '',
  ])('%j', (octets) => {
    const rest = `${octets}${'.'.repeat(20)}`;
    expect(left(rest)).toBe(rest);
    expect(left(rest, 1)).toBe(rest);
  });
});

describe('#66 an interim response whose end nobody can tell is an error', () => {
  it.each([
    ['with a bare LF', 'HTTP/1.1 100 Continue\n\n'],
    ['with a bare LF in a field', 'HTTP/1.1 100 Continue\r\nX: 1\nY: 2\r\n\r\n'],
    ['with a bare CR', 'HTTP/1.1 100 Continue\r\nX: 1\rY: 2\r\n\r\n'],
    ['with two CRs', 'HTTP/1.1 100 Continue\r\r\n\r\n'],
    ['without an end', `HTTP/1.1 100 Continue\r\n${'X: y\r\n'.repeat(11_000)}`],
  ])('%s', (_what, octets) => {
    expect(() => left(octets)).toThrow();
    expect(() => left(octets, 7)).toThrow();
  });
});
