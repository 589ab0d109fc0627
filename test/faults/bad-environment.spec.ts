import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { listen } from '../support/network/listen.js';
import { DEFAULTS, type RelayEnvironment } from '../support/relays/relay.js';
import { runRelay } from '../support/processes/relay-process.js';
import { forThisTest } from '../support/lifecycle/resources.js';

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('a relay with an invalid environment (#36)', () => {
  it('exits with code 1 and one line for each missing variable', async () => {
    const { exitCode, stdout, stderr } = await runRelay({});

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    const lines = linesOf(stderr);
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
      'CLIENT_ID_SECRET',
      'OUTBOUND_TOKEN',
      'REDIS_URL',
      'UPSTREAM',
    ]);
  });

  it('names every invalid variable, without its value and without a stack trace', async () => {
    const environment: RelayEnvironment = {
      ...DEFAULTS,
      CLIENT_ID_SECRET: 'canary-secret',
      OUTBOUND_TOKEN: 'canary\u00e9-token',
      PORT: 'canary-port',
      DEBUG: 'canary-debug',
      HEADERS: '{"x-mte-relay":"canary-header"}',
      REQUEST_HEADERS: '{"host":"canary-header"}',
      RESPONSE_HEADERS: '{"te":"canary-header"}',
      UPSTREAM: 'http://canary-user@host',
    };

    const { exitCode, stdout, stderr } = await runRelay(environment);

    expect(exitCode).toBe(1);
    const names = new Set(linesOf(stderr).map((line) => line.split(' ')[0]));
    expect([...names].sort()).toEqual([
      'CLIENT_ID_SECRET',
      'DEBUG',
      'HEADERS',
      'OUTBOUND_TOKEN',
      'PORT',
      'REQUEST_HEADERS',
      'RESPONSE_HEADERS',
      'UPSTREAM',
    ]);
    expect(stdout + stderr).not.toMatch(/canary|^\s+at |node:/m);
  });

  it('exits with code 1 and one line if its port is in use', async () => {
    const taken = forThisTest(await listen(createServer()));

    const { exitCode, stderr } = await runRelay({ ...DEFAULTS, PORT: String(taken.port) });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(stderr).toContain('EADDRINUSE');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
