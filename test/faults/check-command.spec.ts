import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import type { Step } from '../../apps/relay/src/check/steps.js';
import {
  makeAuthority,
  type Authority,
  type KeyPair,
} from '../support/certificates/certificates.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { runCheck } from '../support/relays/check.js';
import { SECRET, TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';

interface Report {
  readonly ok: boolean;
  readonly steps: readonly Step[];
}

const shared = sharedResources();
let authority: Authority;
let relayB: TestRelay;

beforeAll(async () => {
  authority = shared(makeAuthority());
  relayB = shared(await startB(authority.issue('b', 'DNS:localhost,IP:127.0.0.1')));
});

function startB({ cert, key }: KeyPair): Promise<TestRelay> {
  return startRelay({ TUNNEL_TRANSPORT: 'auto', TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
}

/** The report of the command, which trusts the authority. */
async function reportOn(target: string): Promise<Report> {
  const { stdout } = await runCheck([target, '--json'], { NODE_EXTRA_CA_CERTS: authority.ca });
  return JSON.parse(stdout) as Report;
}

const failedIn = ({ steps }: Report) =>
  steps.filter(({ ok }) => ok === false).map(({ step, code }) => ({ step, code }));

describe('mte-api-relay check', () => {
  it('prints a line for each step, exits with 0 and shows no secret', async () => {
    const { exitCode, stdout, stderr } = await runCheck([`https://localhost:${relayB.port}`], {
      NODE_EXTRA_CA_CERTS: authority.ca,
    });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const marks = stdout.split('\n').map((line) => line.slice(0, 1));
    expect(marks.join('')).toBe('T✓✓✓✓✓✓✓✓✓✓✓✓✓✓–T');
    expect(stdout).toMatch(
      /✓ tls +TLSv1\.3, b < tests, valid until \d{4}-\d\d-\d\d, 1 days: renew it soon/,
    );
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain(TOKEN);
  });

  it('exits with 1 if a step has failed, and leaves out those that depend on it', async () => {
    const { exitCode, stdout } = await runCheck([`https://localhost:${relayB.port}`]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ tls            CHECK_CERTIFICATE_UNTRUSTED: ');
    expect(stdout).toMatch(/\n✗ tls .*\nFailed: tls\. \(\d+ ms\)\n$/);
  });

  it('takes a limit of a fraction of a second', async () => {
    const target = `https://localhost:${relayB.port}`;
    const { exitCode } = await runCheck([target, '--timeout', '4.0003'], {
      NODE_EXTRA_CA_CERTS: authority.ca,
    });
    expect(exitCode).toBe(0);
  });

  it('says that requests pass if only channels do not', async () => {
    const { cert, key } = authority.issue('messages', 'DNS:localhost');
    const relay = forThisTest(
      await startRelay({ TUNNEL_TRANSPORT: 'message', TLS_CERT_FILE: cert, TLS_KEY_FILE: key }),
    );
    const { exitCode, stdout } = await runCheck([`https://localhost:${relay.port}`], {
      NODE_EXTRA_CA_CERTS: authority.ca,
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\nFailed: channel\. Requests pass, as messages\. \(\d+ ms\)\n$/);
  });

  it.each([
    [[]],
    [['http://b.example', 'http://c.example']],
    [['http://b.example', '--request', 'get the orders']],
    [['http://b.example', '--request', 'GET', 'orders']],
    [['http://b.example', '--timeout', '0']],
    [['http://b.example', '--request', 'CONNECT', '/']],
    [['http://b.example', '--colour']],
  ])('exits with 2 if its arguments are %j', async (args) => {
    const { exitCode, stdout, stderr } = await runCheck(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('Usage: mte-api-relay check URL');
  });
});

describe('a certificate', () => {
  it('that is trusted and valid passes the step tls', async () => {
    expect(failedIn(await reportOn(`https://localhost:${relayB.port}`))).toEqual([]);
  });

  it('that has expired is named, with the day', async () => {
    const expired = authority.issue('expired', 'DNS:localhost', 'ecdsa', -1);
    const { port } = forThisTest(await startB(expired));

    const report = await reportOn(`https://localhost:${port}`);

    expect(failedIn(report)).toEqual([{ step: 'tls', code: 'CHECK_CERTIFICATE_EXPIRED' }]);
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 8);
    expect(report.steps.find(({ step }) => step === 'tls')?.cause).toContain(`on ${yesterday}`);
  });

  it('whose name has control characters writes none to the terminal (#122)', async () => {
    const { port } = forThisTest(
      await startB(authority.issue('esc', 'DNS:localhost', 'ecdsa', 2, 'x\u001b[2J\ny')),
    );

    const { stdout } = await runCheck([`https://localhost:${port}`], {
      NODE_EXTRA_CA_CERTS: authority.ca,
    });

    expect(stdout).toContain(', x?[2J?y < tests, ');
    expect(stdout).not.toContain('\u001b');
  });

  it('for another name is named, with its names', async () => {
    const { port } = forThisTest(await startB(authority.issue('other', 'DNS:b.example')));

    const report = await reportOn(`https://localhost:${port}`);

    expect(failedIn(report)).toEqual([{ step: 'tls', code: 'CHECK_CERTIFICATE_NAME' }]);
    expect(report.steps.find(({ step }) => step === 'tls')?.cause).toContain('DNS:b.example');
  });
});

describe('docs/check.md', () => {
  /** What differs from one tunnel to the next. */
  const normal = (line: string): string =>
    line
      .replace(/https:\/\/[^\s:]+(?::\d+)?/g, 'ORIGIN')
      .replace(/\b[0-9a-f]{8}\b/g, 'KEY')
      .replace(/\d+ ms(?=\)| \()/g, 'N ms')
      .replace(/took \d+/, 'took N')
      .replace(/\S+ has [\d., :]+\d/, 'NAME has ADDRESSES')
      .replace(/to [\d.]+:\d+/, 'to ADDRESS')
      .replace(/, \S+ < \S+, valid until [\d-]+, \d+ days/, ', CHAIN, valid until DAY, N days');

  it('shows what is printed of a tunnel that works', async () => {
    const relay = forThisTest(
      await startB(authority.issue('lasting', 'DNS:localhost', 'ecdsa', 90)),
    );
    const target = `https://localhost:${relay.port}`;
    const { stdout } = await runCheck([target], { NODE_EXTRA_CA_CERTS: authority.ca });

    const [, shown = ''] =
      /```text\n(To https:.*?)```/s.exec(readFileSync('docs/check.md', 'utf8')) ?? [];
    expect(stdout.split('\n').map(normal)).toEqual(shown.split('\n').map(normal));
  });
});
