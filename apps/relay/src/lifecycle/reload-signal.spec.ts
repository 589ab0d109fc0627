import { afterEach, expect, it, vi } from 'vitest';

import { outliveReloads } from './reload-signal.js';

vi.mock('node:tty', () => ({ isatty: () => false }));

const before = process.listeners('SIGHUP');
const added = () => process.listeners('SIGHUP').filter((one) => !before.includes(one));

afterEach(() => {
  for (const listener of added()) {
    process.off('SIGHUP', listener);
  }
});

it.each([
  ['the only process of a relay says that it has nothing to read again', false, {}, 1],
  ['a worker leaves the signal to its primary', true, {}, 0],
  [
    'a process with a directory file leaves the signal to what reads it',
    false,
    { relayConfigFile: 'relay.yaml' },
    0,
  ],
])('%s', (_, isThere, config, warnings) => {
  const warn = vi.fn();
  outliveReloads(config, { isThere }, { warn });
  for (const listener of added()) {
    listener('SIGHUP');
  }
  expect(warn).toHaveBeenCalledTimes(warnings);
});
