import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const REQUIRE_NODE = 'bin/require-node.cjs';
const { scripts, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
  version: string;
};
/** Commands of our own, without those that only start a development tool. */
const OWN_SCRIPT = /(?:scripts|demo|test\/bench)\/(?!build-if-missing)[\w./-]+\.m?js/;
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
      /^(?:node bin\/require-node\.cjs && |(?:exec )?node -r \.\/bin\/require-node\.cjs )/,
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
    expect(stdout).toMatch(/^Usage: (?:npm|mte-api-relay) .*\n[^]*\.\n?/);
  });

  it('that takes no such option says so, with its usage', async () => {
    const { exitCode, stdout, stderr } = await run(['bin/main.js', 'start', '--port', '80']);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Unknown option '--port'\n\nUsage: mte-api-relay \[start\]\n/);
  });

  it.each(['start', 'check', 'config:check'])('npm run %s builds if there is no build', (name) => {
    expect(scripts[name]).toContain(
      ' && node scripts/build-if-missing.js && exec bin/mte-api-relay ',
    );
  });

  it('that builds if there is no build says so', async () => {
    const folder = forThisTest(await temporaryFolder());
    const copied = join(folder.path, 'scripts');
    mkdirSync(copied);
    cpSync('scripts/build-if-missing.js', join(copied, 'build-if-missing.js'));
    writeFileSync(
      join(folder.path, 'package.json'),
      JSON.stringify({ type: 'module', scripts: { build: 'exit 3' } }),
    );

    const { exitCode, stdout, stderr } = await run([join(copied, 'build-if-missing.js')]);

    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/^There is no build yet: building the relay …\n[^]*The build failed\./);
  });
});

describe('mte-api-relay', () => {
  const COMMANDS = ['start', 'check', 'healthcheck', 'config check', 'client', 'secret', 'demo'];

  it('lists its commands, as docs/operations.md does', async () => {
    const { stdout } = await run(['bin/main.js', '--help']);
    expect([...stdout.matchAll(/^ {2}(\S+(?: \S+)?) {2,}\S/gm)].map(([, name]) => name)).toEqual(
      COMMANDS,
    );
    expect(readFileSync('docs/operations.md', 'utf8')).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });

  it.each(COMMANDS)('%s says with --help what it does, and does nothing', async (name) => {
    const { exitCode, stdout, stderr } = await run(['bin/main.js', ...name.split(' '), '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: mte-api-relay \\[?${name}\\b.*\\n[^]*\\.\\n`));
  });

  it.each([[], ...COMMANDS.map((name) => name.split(' '))])(
    '%s --version prints the version',
    async (...words) => {
      expect(await run(['bin/main.js', ...words, '--version'])).toEqual({
        exitCode: 0,
        stdout: `mte-api-relay ${version}\n`,
        stderr: '',
      });
    },
  );

  it.each([['-h'], ['config', '--help']])('lists them with %s %s', async (...words) => {
    expect(await run(['bin/main.js', ...words])).toEqual(await run(['bin/main.js', '--help']));
  });

  it.each([['stop'], ['config'], ['config', 'chek'], ['--port', '80']])(
    '%s %s is no command, and the usage follows',
    async (...words) => {
      const { exitCode, stdout, stderr } = await run(['bin/main.js', ...words]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toMatch(/^'.*' is no command\n\nUsage: mte-api-relay /);
    },
  );

  it('gives V8 the flags that docs/performance.md explains, and the allocator its setting', () => {
    const launcher = readFileSync('bin/mte-api-relay', 'utf8');
    const explained = readFileSync('docs/performance.md', 'utf8')
      .split('\n## ')
      .find((section) => section.startsWith('V8 flags'));
    const flags = launcher.match(/(?<=\s)--(?:no|max)-[\w=-]+/g) ?? [];
    expect(flags).toHaveLength(5);
    expect(flags.filter((flag) => explained?.includes(`\`${flag}\``) !== true)).toEqual([]);
    expect(launcher).toContain('export MALLOC_TRIM_THRESHOLD_=131072\n');
  });

  it('says in one sentence that there is no build', async () => {
    const folder = forThisTest(await temporaryFolder());
    cpSync('bin', join(folder.path, 'bin'), { recursive: true });
    cpSync('package.json', join(folder.path, 'package.json'));
    expect(await run([join(folder.path, 'bin/main.js'), 'healthcheck'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'There is no build yet: run npm run build.\n',
    });
  });
});
