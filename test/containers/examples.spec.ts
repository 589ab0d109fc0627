import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { blocksOf } from '../support/assertions/guide-text.js';
import { EXAMPLES } from '../support/examples/example-files.js';
import { buildImages, COMPOSE, logsOf, run, docker } from './engine.js';
import { expectUnused, replacements } from './guide.js';

const SIGNED_IN = '{"signedIn":true,"as":"ada"}';
const LIMIT_MS = 60_000;
const PORTS = ['8080', '8090', '8091'];

let folder = '';
/** The examples that run, by the names of their folders, which are those of their projects. */
const started: string[] = [];

/** Runs all commands of the README of an example, as printed, in one shell. */
async function follow(name: string): Promise<string> {
  await expectUnused(`label=com.docker.compose.project=${name}`);
  started.push(name);
  const readme = readFileSync(join(folder, name, 'README.md'), 'utf8');
  const commands = blocksOf(readme).join('');
  return run('bash', ['-euo', 'pipefail', '-c', commands], { folder: join(folder, name) });
}

const containerOf = (project: string, service: string): Promise<string> =>
  docker(
    ...['ps', '--quiet'],
    ...['--filter', `label=com.docker.compose.project=${project}`],
    ...['--filter', `label=com.docker.compose.service=${service}`],
  );

beforeAll(async () => {
  await buildImages();
  folder = mkdtempSync(join(tmpdir(), 'mte-examples-'));
  cpSync(EXAMPLES, folder, { recursive: true });
  const changes = await replacements(PORTS);
  for (const name of ['receive', 'send', 'websockets', 'two-partners', 'egress-proxy']) {
    for (const file of ['README.md', 'docker-compose.yml', 'relay.env']) {
      replaceIn(join(folder, name, file), changes);
    }
  }
});

function replaceIn(path: string, changes: ReadonlyMap<string, string>): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return;
  }
  for (const [printed, changed] of changes) {
    text = text.replaceAll(printed, changed);
  }
  writeFileSync(path, text);
}

afterEach(async () => {
  const [program, ...args] = COMPOSE;
  for (const name of started.splice(0).reverse()) {
    await run(program, [...args, 'down', '--volumes', '--rmi', 'local', '--timeout', '5'], {
      folder: join(folder, name),
    });
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the commands of examples, as printed', () => {
  it('receive and send carry a first sealed request within a minute of their first command', async () => {
    const startedAt = performance.now();
    const ready = await follow('receive');
    const response = await follow('send');
    const ms = performance.now() - startedAt;
    console.log(`from nothing to the first sealed request: ${(ms / 1000).toFixed(1)} s`);
    expect(ready).toContain('{"status":"ok"');
    expect(response).toBe(SIGNED_IN);
    expect(await logsOf(await containerOf('receive', 'api'))).toContain('POST /api/login');
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  it('websockets carries a WebSocket', async () => {
    const printed = await follow('websockets');
    expect(printed.split(/\r?\n/).slice(-3)).toEqual([
      'you said: hello',
      'you said: how are you?',
      'you said: goodbye',
    ]);
  });

  it('two-partners carries requests to both partners, and refuses the third', async () => {
    const printed = await follow('two-partners');
    expect(printed).toContain('"host":"payments-api:3000"');
    expect(printed).toContain('"host":"shipping-api:3000"');
    expect(printed).toContain('RELAY_UPSTREAM_REFUSED');
  });

  it('egress-proxy reaches the peer through a proxy alone', async () => {
    const printed = await follow('egress-proxy');
    expect(printed).toContain(SIGNED_IN);
    expect(printed).toContain('CONNECT relay-b:8080');
  });
});
