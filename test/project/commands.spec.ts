import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const REQUIRE_NODE = 'scripts/require-node.cjs';
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};
/** Commands of our own, without those that only start a development tool. */
const OWN_SCRIPT = /(?:scripts|demo|test\/bench)\/[\w./-]+\.m?js/;
const own = Object.entries(scripts).flatMap(([name, command]) => {
  const [script] = OWN_SCRIPT.exec(command) ?? [];
  return script === undefined ? [] : [[name, script] as const];
});

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

describe('a Node.js that is too old', () => {
  it.each(own)('is noticed by npm run %s before any of its modules is read', (name) => {
    expect(scripts[name]).toMatch(
      /^(?:node scripts\/require-node\.cjs && |(?:exec )?node -r \.\/scripts\/require-node\.cjs )/,
    );
  });

  it('ends in one sentence', async () => {
    const folder = forThisTest(await temporaryFolder());
    const old = join(folder.path, 'old.cjs');
    writeFileSync(
      old,
      "Object.defineProperty(process, 'versions', { value: { node: '20.18.3' } });",
    );

    expect(await run(['-r', old, REQUIRE_NODE])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'MTE API Relay needs Node.js 20.19 or newer; this is 20.18.3.\n',
    });
    expect(await run([REQUIRE_NODE])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('can read the file that says so, however old it is', () => {
    const problems = new Linter().verify(readFileSync(REQUIRE_NODE, 'utf8'), {
      languageOptions: { ecmaVersion: 5, sourceType: 'script' },
    });
    expect(problems).toEqual([]);
  });
});

describe('a command', () => {
  it.each(own)('npm run %s says with --help what it does, and does nothing', async (_, script) => {
    const { exitCode, stdout, stderr } = await run([script, '--help']);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm .*\n[^]*\.\n?/);
  });

  it('that takes no such option says so, with its usage', async () => {
    const { exitCode, stdout, stderr } = await run(['scripts/start.js', '--port', '80']);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Unknown option '--port'[^]*\n\nUsage: npm start\n/);
  });

  it('npm start says that it builds if there is no build', async () => {
    const folder = forThisTest(await temporaryFolder());
    const copied = join(folder.path, 'scripts');
    mkdirSync(copied);
    for (const name of ['start.js', 'arguments.js', 'build-if-missing.js']) {
      cpSync(join('scripts', name), join(copied, name));
    }
    writeFileSync(
      join(folder.path, 'package.json'),
      JSON.stringify({ type: 'module', scripts: { build: 'exit 3' } }),
    );

    const { exitCode, stdout, stderr } = await run([join(copied, 'start.js')]);

    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/^There is no build yet: building the relay …\n[^]*The build failed\./);
  });
});
