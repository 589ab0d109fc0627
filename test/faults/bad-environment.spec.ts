import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { listen } from '../support/network/listen.js';
import { DEFAULTS, type RelayEnvironment } from '../support/relays/relay.js';
import { runRelay, startRelayProcess } from '../support/processes/relay-process.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

/** Sound, so that each test adds what is wrong. */
const PRODUCTION: RelayEnvironment = {
  ...DEFAULTS,
  NODE_ENV: 'production',
  OUTBOUND_TOKEN: randomBytes(32).toString('base64url'),
};

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

describe('a relay in production', () => {
  it('#23 #24 does not start with secrets and tokens that can be guessed, and shows none of them', async () => {
    const { exitCode, stdout, stderr } = await runRelay({
      ...PRODUCTION,
      CLIENT_ID_SECRET: 'canary-secret-of-our-two-relays-2024',
      CLIENT_ID_SECRET_ALT: 'canary'.repeat(10),
      OUTBOUND_TOKEN: 'canary-token-for-all-our-clients',
      OUTBOUND_TOKEN_ALT: 'canary-0123456789-0123456789',
    });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual(
      ['CLIENT_ID_SECRET', 'CLIENT_ID_SECRET_ALT', 'OUTBOUND_TOKEN', 'OUTBOUND_TOKEN_ALT'].map(
        (name) => expect.stringMatching(`^${name} must .*openssl rand -base64 32$`) as string,
      ),
    );
    expect(stdout + stderr).not.toContain('canary');
  });

  it('#49 does not start if the variable that should have closed something is mistyped in .env', async () => {
    const { path } = forThisTest(await temporaryFolder());
    writeFileSync(join(path, '.env'), 'MTE_ROUTE=/canary\nRELAY_AUDIENCES=https://canary\n');

    const { exitCode, stdout, stderr } = await runRelay(PRODUCTION, { cwd: path });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([
      'MTE_ROUTE is not a variable of the relay: did you mean MTE_ROUTES, which is not set?',
      'RELAY_AUDIENCES is not a variable of the relay: did you mean RELAY_AUDIENCE, which is not set?',
    ]);
    expect(stdout + stderr).not.toContain('canary');
  });

  it('#50 does not start if the verification of certificates is switched off', async () => {
    const { exitCode, stderr } = await runRelay({
      ...PRODUCTION,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([
      expect.stringMatching(/^NODE_TLS_REJECT_UNAUTHORIZED must not be 0/),
    ]);
  });

  it('starts with what npm run secret prints, and warns of what is left open, one line each', async () => {
    const relay = forThisTest(await startRelayProcess(PRODUCTION));
    const warnings = relay.log.items.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warnings.filter((msg) => msg.includes(' is not set: '))).toEqual([
      expect.stringMatching(/^OUTBOUND_ALLOWED_UPSTREAMS /),
      expect.stringMatching(/^RELAY_AUDIENCE /),
    ]);
  });
});

describe('a relay outside production', () => {
  it('#23 #49 #50 starts with all of this, with one warning each, and shows no value', async () => {
    const relay = forThisTest(
      await startRelayProcess({
        CLIENT_ID_SECRET: 'canary-secret-of-our-two-relays-2024',
        OUTBOUND_TOKEN: 'canary-token-for-all-our-clients',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        MTE_ROUTE: '/canary',
        LOGLEVEL: 'canary',
      }),
    );
    const warnings = relay.log.items.filter(({ level }) => level === 40).map(({ msg }) => msg);
    for (const name of [
      ...['CLIENT_ID_SECRET', 'OUTBOUND_TOKEN', 'OUTBOUND_ALLOWED_UPSTREAMS', 'RELAY_AUDIENCE'],
      ...['NODE_TLS_REJECT_UNAUTHORIZED', 'MTE_ROUTE', 'LOGLEVEL'],
    ]) {
      expect(warnings.filter((msg) => msg.startsWith(`${name} `))).toHaveLength(1);
    }
    expect(JSON.stringify(relay.log.items)).not.toContain('canary');
  });
});
