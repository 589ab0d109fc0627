import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { Recorder } from '../lifecycle/recorder.js';
import { DEFAULTS, type RelayEnvironment } from '../relays/relay.js';

const MAIN = resolve('dist/apps/relay/src/main.js');
const CTRL_C = '\u0003';
/** What a terminal shows in colour. */
// eslint-disable-next-line no-control-regex -- the start of each colour
const COLOUR = /\u001b\[\d+m/g;

/** A built relay whose output is a terminal, in which somebody can press Ctrl-C. */
export interface TerminalRelay {
  /** What it writes, line by line, without colours. */
  readonly lines: Recorder<string>;
  /** Everything that it has written, as the terminal gets it. */
  readonly raw: () => string;
  /** Ends it as its user would. */
  close(): Promise<void>;
}

/** Starts the built relay in a pseudo-terminal, which `script` (bsdutils) makes. */
export function startInTerminal(environment: RelayEnvironment = {}): TerminalRelay {
  const command = `exec '${process.execPath}' '${MAIN}'`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: tmpdir(),
    env: {
      PATH: process.env['PATH'],
      SHELL: '/bin/sh',
      TERM: 'xterm',
      ...DEFAULTS,
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines = new Recorder<string>();
  let raw = '';
  let read = 0;
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    raw += part;
    for (let end = raw.indexOf('\n', read); end >= 0; end = raw.indexOf('\n', read)) {
      lines.add(raw.slice(read, end).replace(/\r$/, '').replace(COLOUR, ''));
      read = end + 1;
    }
  });
  return {
    lines,
    raw: () => raw,
    close: async () => {
      if (child.exitCode === null) {
        child.stdin.write(CTRL_C);
      }
      await ended;
    },
  };
}
