import { describe, expect, it } from 'vitest';

import { RelayError } from '@relay/errors';
import { AxiosError, AxiosHeaders } from 'axios';

import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import { FrameworkLog } from './framework-log.js';
import { RelayLog } from './relay-log.js';

const CANARY = 'canary-of-the-tests';

type Line = Readonly<Record<string, unknown>>;

class RefusedError extends RelayError {
  readonly code = 'RELAY_TOKEN_INVALID';
}

function recordingLog(level: 'debug' | 'info' | 'warn' | 'silent' = 'debug') {
  const lines = new Recorder<string>();
  const destination = {
    write: (line: string) => {
      lines.add(line);
    },
  };
  return {
    log: new RelayLog(level, destination),
    /** The raw text of all lines. */
    text: () => lines.items.join(''),
    lines: () => lines.items.map((line) => JSON.parse(line) as Line),
  };
}

/** How an error appears in the log. */
function described(error: unknown): { readonly error: unknown; readonly text: string } {
  const { log, lines, text } = recordingLog();
  log.error('failed', { error });
  return { error: lines()[0]?.['error'], text: text() };
}

describe('a log line', () => {
  it('is one JSON object with level, time, message and the given fields', () => {
    const { log, lines, text } = recordingLog();
    log.info('request completed', { requestId: 'r', status: 200, ms: 1.5 });
    expect(text()).toMatch(/^\{.*\}\n$/);
    expect(lines()).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        requestId: 'r',
        status: 200,
        ms: 1.5,
        msg: 'request completed',
      },
    ]);
  });

  it('has its level, and is omitted below the level of the log', () => {
    const { log, lines } = recordingLog('warn');
    log.debug('1');
    log.info('2');
    log.warn('3');
    log.error('4');
    log.fatal('5');
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      [40, '3'],
      [50, '4'],
      [60, '5'],
    ]);
  });

  it('is omitted if the log is silent', () => {
    const { log, text } = recordingLog('silent');
    log.fatal('the end');
    expect(text()).toBe('');
  });
});

describe('an error in the log', () => {
  it('consists of its name, code and message', () => {
    expect(described(new RefusedError('refused')).error).toEqual({
      name: 'RefusedError',
      code: 'RELAY_TOKEN_INVALID',
      message: 'refused',
    });
  });

  it('includes the chain of its causes', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104 });
    const error = new RefusedError('refused', {
      cause: new TypeError('fetch failed', { cause: reset }),
    });
    expect(described(error).error).toEqual({
      name: 'RefusedError',
      code: 'RELAY_TOKEN_INVALID',
      message: 'refused',
      cause: {
        name: 'TypeError',
        message: 'fetch failed',
        cause: { name: 'Error', code: 'ECONNRESET', message: 'read ECONNRESET' },
      },
    });
  });

  it('does not include what an HTTP client has attached to it', () => {
    const headers = new AxiosHeaders({ authorization: CANARY, 'x-mte-client-id': CANARY });
    const config = { headers, data: CANARY, url: `http://b/${CANARY}` };
    const response = { data: CANARY, status: 502, statusText: CANARY, headers, config };
    const error = new AxiosError('failed', 'ERR_BAD_RESPONSE', config, CANARY, response);
    const wrapped = new RefusedError('refused', { cause: error });
    for (const seen of [described(error), described(wrapped)]) {
      expect(seen.text).not.toContain(CANARY);
      expect(seen.text).toContain('ERR_BAD_RESPONSE');
    }
  });

  it.each(['data', 'config', 'headers', 'request', 'response', 'body', 'rawPacket', 'stack'])(
    'does not include the property %s',
    (property) => {
      const error = Object.assign(new Error('failed'), { [property]: CANARY });
      expect(described(error).text).not.toContain(CANARY);
      expect(described(new Error('outer', { cause: error })).text).not.toContain(CANARY);
    },
  );

  it('has a code only if the code is a string', () => {
    const error = Object.assign(new Error('failed'), { code: { secret: CANARY } });
    expect(described(error)).toMatchObject({ error: { name: 'Error', message: 'failed' } });
    expect(described(error).text).not.toContain(CANARY);
  });

  it.each([[CANARY], [{ message: CANARY }], [[CANARY]], [42], [null]])(
    'is reduced to its type if it is not an Error: %j',
    (thrown) => {
      expect(described(thrown).error).toEqual({ message: typeof thrown });
      expect(described(new Error('failed', { cause: thrown })).text).not.toContain(CANARY);
    },
  );

  it('may be its own cause', () => {
    const error = new Error('failed');
    error.cause = error;
    expect(described(error).error).toMatchObject({ message: 'failed' });
  });
});

describe('a message of the framework', () => {
  it('is written to the same log, at debug level unless it is a warning or an error', () => {
    const { log, lines } = recordingLog();
    const framework = new FrameworkLog(log);
    framework.log('started');
    framework.debug('detail');
    framework.warn('careful');
    framework.error('failed');
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      [20, 'started'],
      [20, 'detail'],
      [40, 'careful'],
      [50, 'failed'],
    ]);
  });
});
