import { describe, expect, it } from 'vitest';

import { PrettyOutput } from './pretty-output.js';
import { RelayLog } from './relay-log.js';

const ESC = '\u001b';
/** Ends the line, writes another one, and has terminals clear the screen, by both forms of the sequence, and turn text around. */
const HOSTILE = `a\r\n[00:00:00.000] INFO: forged${ESC}[2J\u009b2J\u007f\u202eb\u2066c\\ "d`;
const SHOWN = 'a\\r\\n[00:00:00.000] INFO: forged\\u001b[2J\\u009b2J\\u007f\\u202eb\\u2066c\\';

function prettyLog() {
  let text = '';
  const output = new PrettyOutput({
    write: (line: string) => {
      text += line;
    },
    flushSync: () => undefined,
  });
  return { log: new RelayLog('debug', output), output, text: () => text };
}

/** What is printed besides the colours that the printer itself may add. */
// eslint-disable-next-line no-control-regex -- the start of each colour
const withoutColours = (text: string): string => text.replace(/\u001b\[\d+m/g, '');

describe('a log for people', () => {
  it('has one line for each event, with its time, level, message and fields', () => {
    const { log, text } = prettyLog();
    log.info('request completed', { requestId: 'r', status: 200 });
    log.warn('alone');
    const [first, second, ...rest] = withoutColours(text()).split('\n');
    expect(first).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: request completed \{"requestId":"r","status":200\}$/,
    );
    expect(second).toMatch(/^\[[\d:.]+\] WARN: alone\s*$/);
    expect(rest).toEqual(['']);
  });

  it('writes the lines of workers that arrive together one by one', () => {
    const { output, text } = prettyLog();
    output.write(
      '{"level":30,"pid":7,"msg":"one"}\n{"level":50,"pid":8,"msg":"two"}\nno JSON at all\n',
    );
    expect(
      withoutColours(text())
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual(['INFO (7): one', 'ERROR (8): two', 'no JSON at all', '']);
  });

  it.each(['requestId', 'peer', 'client', 'method', 'reason'] as const)(
    '#115 shows controls in the field %s as text',
    (field) => {
      const { log, text } = prettyLog();
      log.info('m', { [field]: HOSTILE });
      const line = withoutColours(text());
      expect(line).toContain(SHOWN);
      expect(line).toMatch(/^[\x20-\x7e]*\n$/);
    },
  );

  it('#115 shows controls in its message, in errors and in names of fields as text', () => {
    const { log, text } = prettyLog();
    const error = new Error(HOSTILE, { cause: new Error(HOSTILE) });
    log.info(HOSTILE, { error, store: { [HOSTILE]: HOSTILE } });
    const line = withoutColours(text());
    expect(line.split(SHOWN)).toHaveLength(6);
    expect(line).toMatch(/^[\x20-\x7e]*\n$/);
  });

  it('#115 shows controls as text in a line that is no JSON', () => {
    const { output, text } = prettyLog();
    output.write(`panic ${ESC}[2J\u009b2J\n`);
    expect(text()).toMatch(/^[\x20-\x7e]*\n$/);
  });
});
