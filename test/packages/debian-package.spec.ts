import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { read, SAMPLE } from '../support/assertions/deploy-files.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { hasProgram } from '../support/processes/apt-packages.js';
import { runProgram, runs, startProgram } from '../support/programs/program.js';

const { version } = JSON.parse(read('package.json')) as { version: string };
const FILE = `mte-api-relay_${version.replace('-', '~')}_all.deb`;
const LIBRARY = './usr/lib/mte-api-relay/';
/** There are thousands of files to pack and to look into. */
const LIMIT_MS = 240_000;
const LISTENING = /"address":"([^"]+)"/;
/** A line of `dpkg-deb --contents`. */
const ENTRY = /^(\S+) (\S+) +\d+ (\S+ \S+) (\S+)(?: -> (\S+))?$/gm;

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly time: string;
  readonly link: string | undefined;
}

const has = {
  dpkg: hasProgram(['dpkg-dev'], 'dpkg-deb', '--version'),
  lintian: hasProgram(['lintian'], 'lintian', '--version'),
};

describe.skipIf(!has.dpkg)('the package for Debian', () => {
  const shared = sharedResources();
  let file: string;
  let unpacked: string;
  let entries: ReadonlyMap<string, Entry>;

  beforeAll(async () => {
    const { path } = shared(await temporaryFolder());
    // The modes in the package do not depend on it: test/packages/release.spec.ts compares whole files.
    const script = 'umask 077; exec "$0" "$@"';
    const args = [process.execPath, 'scripts/package/deb.js', '--built', '--output', path];
    // npm keeps files in the home folder.
    const options = { cwd: resolve('.'), env: { HOME: path }, limitMs: LIMIT_MS };
    file = (await runs('sh', ['-c', script, ...args], options)).trim();
    unpacked = join(path, 'unpacked');
    await runs('dpkg-deb', ['--extract', file, unpacked]);
    const list = await runs('dpkg-deb', ['--contents', file]);
    entries = new Map(
      [...list.matchAll(ENTRY)].map(([, mode = '', owner = '', time = '', name = '', link]) => [
        name,
        { mode, owner, time, link },
      ]),
    );
  });

  it('has the version in its name', () => {
    expect(file).toMatch(new RegExp(`/${FILE}$`));
  });

  it('has its files in their places, with one time, for root alone to change', () => {
    expect(entries.get('./usr/bin/mte-api-relay')?.link).toBe(
      '../lib/mte-api-relay/bin/mte-api-relay',
    );
    expect(entries.get(`${LIBRARY}bin/mte-api-relay`)?.mode).toBe('-rwxr-xr-x');
    expect(entries.get('./etc/mte-api-relay/relay.env')?.mode).toBe('-rw-r-----');
    expect(entries.get('./etc/mte-api-relay/secrets/')?.mode).toBe('drwx------');
    for (const name of [
      './usr/lib/systemd/system/mte-api-relay.service',
      './usr/share/man/man1/mte-api-relay.1.gz',
      './usr/share/doc/mte-api-relay/changelog.gz',
      './usr/share/doc/mte-api-relay/copyright',
      './usr/share/doc/mte-api-relay/docs/operations.md',
    ]) {
      expect(entries.get(name)?.mode, name).toBe('-rw-r--r--');
    }
    const all = [...entries.values()];
    expect(new Set(all.map(({ owner }) => owner))).toEqual(new Set(['root/root']));
    expect(new Set(all.map(({ time }) => time)).size).toBe(1);
    expect(
      all.filter(({ mode, link }) => link === undefined && /^.....w|^.{8}w/.test(mode)),
    ).toEqual([]);
  });

  it('contains what the relay needs, and nothing of its development', () => {
    const names = [...entries.keys()];
    for (const module of ['fastify', '@nestjs/core', 'ioredis', 'ws']) {
      expect(names).toContain(`${LIBRARY}node_modules/${module}/package.json`);
    }
    const development =
      /\.map$|\.ts$|\.spec\.[cm]?js$|\.node$|node_modules\/(?:typescript|vitest|vite)\//;
    expect(names.filter((name) => development.test(name))).toEqual([]);
    expect(
      names.filter((name) => /\/mte-api-relay\/(?:apps|libs|test|scripts)\//.test(name)),
    ).toEqual([]);
  });

  it('depends on the Node.js that package.json requires, and keeps changed settings', async () => {
    const field = (name: string) => runs('dpkg-deb', ['--field', file, name]);
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    expect((await field('Depends')).trim()).toBe(`nodejs (${engines.node.replace('>=', '>= ')})`);
    expect((await field('Architecture')).trim()).toBe('all');
    expect(await runs('dpkg-deb', ['--info', file, 'conffiles'])).toBe(
      '/etc/mte-api-relay/relay.env\n',
    );
  });

  it('is older than its release to dpkg if it is a pre-release', async () => {
    const script = `import { debianVersion } from './scripts/package/debian-texts.js';
      process.stdout.write(debianVersion({ version: '1.0.0-rc.1' }))`;
    const made = await runs(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: resolve('.'),
    });
    expect(made).toBe('1.0.0~rc.1');
    await runs('dpkg', ['--compare-versions', made, 'lt', '1.0.0']);
  });

  it('has sums that are those of its files', async () => {
    const sums = await runs('dpkg-deb', ['--info', file, 'md5sums']);
    const script = 'printf %s "$0" | md5sum --check --quiet --strict -';
    const path = shared(await temporaryFolder()).path;
    await runs('dpkg-deb', ['--control', file, join(path, 'control')]);
    expect(sums.split('\n').length).toBeGreaterThan(1000);
    const args = [
      '-c',
      script.replace('printf %s "$0"', 'cat "$0"'),
      join(path, 'control/md5sums'),
    ];
    expect(await runProgram('sh', args, { cwd: unpacked })).toMatchObject({ exitCode: 0 });
  });

  it('has a manual page that names every command', async () => {
    const page = read('deploy/debian/mte-api-relay.1').replaceAll('\\-', '-');
    const help = await runs(join(unpacked, 'usr/bin/mte-api-relay'), ['--help']);
    const commands = [...help.matchAll(/^ {2}(\S+(?: \S+)?) {2,}\S/gm)].map(([, name]) => name!);
    expect(commands).toContain('start');
    for (const command of commands) {
      expect(page).toMatch(new RegExp(`^\\.B[IR]? "?${command}\\b`, 'm'));
    }
  });

  it('runs where it is unpacked, without the repository', async () => {
    const program = join(unpacked, 'usr/bin/mte-api-relay');
    expect(await runs(program, ['--version'])).toBe(`mte-api-relay ${version}\n`);
    const child = startProgram(program, ['start'], {
      env: {
        ...SAMPLE,
        REDIS_URL: 'memory://',
        HOST: '127.0.0.1',
        PORT: '0',
        NODE_ENV: 'production',
      },
    });
    const ended = once(child, 'close');
    child.stderr.pipe(process.stderr);
    let output = '';
    let address: string | undefined;
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      output += String(chunk);
      if (address === undefined) {
        address = LISTENING.exec(output)?.[1];
        if (address !== undefined) {
          expect((await fetch(`${address}/health/ready`)).status).toBe(200);
          child.kill('SIGTERM');
        }
      }
    }
    expect(output).toContain('"relay is listening"');
    await ended;
    expect(child.exitCode).toBe(0);
  });

  it.skipIf(!has.lintian)('passes lintian without errors and warnings', async () => {
    const args = ['--no-cfg', '--allow-root', '--fail-on', 'error,warning', file];
    expect(await runProgram('lintian', args, { limitMs: LIMIT_MS })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });
});
