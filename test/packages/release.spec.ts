import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from 'vitest';

import { versionOf, releaseProblems } from '../../scripts/package/versions.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder, type TemporaryFolder } from '../support/lifecycle/temporary-folder.js';

const run = promisify(execFile);
interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
}

const MIB = 1024 ** 2;
const { version } = versionOf();
const TARBALL = `mte-api-relay-${version}.tgz`;
const RELEASED = [
  `mte-api-relay-${version}-sbom.cdx.json`,
  TARBALL,
  `mte-api-relay-chart-${version}.tgz`,
  `mte-api-relay_${version}_all.deb`,
];

const forThisFile = sharedResources();
let first: TemporaryFolder;
let second: TemporaryFolder;

const RELEASE = ['npm', 'run', '--silent', 'release', '--', '--without-image'];

const release = (...options: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(RELEASE[0]!, [...RELEASE.slice(1), ...options]);

beforeAll(async () => {
  first = forThisFile(await temporaryFolder());
  second = forThisFile(await temporaryFolder());
  const options = ['--built', '--unreleased', '--output'];
  await Promise.all([
    release(...options, first.path),
    run('sh', ['-c', 'umask 077; exec "$0" "$@"', ...RELEASE, ...options, second.path]),
  ]);
});

describe('npm run release', () => {
  it('makes the tarball, the Debian package, the chart, the SBOM, and sums that are right', async () => {
    expect(readdirSync(first.path).sort()).toEqual(['SHA256SUMS', ...RELEASED].sort());
    const { stdout } = await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: first.path });
    expect(stdout.trim().split('\n').sort()).toEqual(RELEASED.map((name) => `${name}: OK`).sort());
  });

  it('makes the same files twice, byte for byte, whatever the umask is', () => {
    for (const name of RELEASED) {
      const [one, other] = [first, second].map(({ path }) => readFileSync(join(path, name)));
      expect(one!.equals(other!), name).toBe(true);
    }
  });

  it('makes an SBOM that lists each package in the tarball, and no other', () => {
    const bill = JSON.parse(readFileSync(join(first.path, RELEASED[0]!), 'utf8')) as {
      components: { group?: string; name: string; version: string }[];
    };
    const billed = bill.components.map(({ name, version }) => `${name}@${version}`);
    const packages = (JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock).packages;
    const packed = filesOfTarball()
      .filter((path) => /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
      .map((path) => {
        const folder = path.slice('package/'.length, -'/package.json'.length);
        return `${folder.split('node_modules/').at(-1)!}@${packages[folder]!.version}`;
      });
    expect([...new Set(billed)].sort()).toEqual([...new Set(packed)].sort());
  });

  it('is refused as long as CHANGELOG.md has no date for the version', async () => {
    await expect(release('--output', join(first.path, 'none'))).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(
        `CHANGELOG.md begins with "## Unreleased: ${version}" and not with "## ${version}, <date>"`,
      ) as string,
    });
    expect(readdirSync(first.path)).not.toContain('none');
  });

  it('is refused if it would take an old build', async () => {
    await expect(release('--built', '--output', join(first.path, 'none'))).rejects.toMatchObject({
      code: 1,
      stderr: 'a release is built: --built is for a trial, with --unreleased\n',
    });
  });

  it('removes nothing from a folder that is not of a release', async () => {
    const folder = forThisTest(await temporaryFolder());
    writeFileSync(join(folder.path, 'mine'), '');
    await expect(release('--built', '--unreleased', '--output', folder.path)).rejects.toMatchObject(
      {
        code: 1,
        stderr: `${folder.path} has files, and no SHA256SUMS of an earlier release: name another folder\n`,
      },
    );
    expect(readdirSync(folder.path)).toEqual(['mine']);
  });

  it('is refused if files are not committed', () => {
    const changelog = `# Changelog\n\n## ${version}, 2027-01-31\n`;
    expect(releaseProblems(version, { changelog, changedFiles: '' })).toEqual([]);
    expect(releaseProblems(version, { changelog, changedFiles: ' M apps/x.ts' })).toEqual([
      'files are not committed:\n M apps/x.ts',
    ]);
  });

  it.each([
    ['package-lock.json', `"version": "${version}"`],
    ['CHANGELOG.md', `: ${version}`],
    ['Dockerfile', `VERSION=${version}`],
    ['deploy/helm/mte-api-relay/Chart.yaml', `version: ${version}`],
    ['deploy/helm/mte-api-relay/Chart.yaml', `appVersion: `],
  ])('is refused if %s has another version', (path, text) => {
    const read = (asked: string): string => {
      const content = readFileSync(asked, 'utf8');
      return asked === path
        ? content.replace(text, text.replace(version, '9.9.9').replace(/: $/, ': 9'))
        : content;
    };
    expect(versionOf().problems).toEqual([]);
    expect(versionOf(dated).problems).toEqual([]);
    expect(versionOf(read).problems).toEqual([expect.stringContaining(`${path} has the version `)]);
  });
});

describe('the tarball', () => {
  it('is at most 15 MiB, and has no source maps, types, tests or development packages', () => {
    expect(statSync(join(first.path, TARBALL)).size).toBeLessThan(15 * MIB);
    const files = filesOfTarball();
    expect(
      files.filter((path) =>
        /\.map$|\.d\.[cm]?ts$|\.spec\.[jt]s$|\/typescript\/|\/vitest\//.test(path),
      ),
    ).toEqual([]);
    expect(files).toContain('package/bin/mte-api-relay');
    // What errors and findings refer to.
    expect(files).toContain('package/docs/operations.md');
  });

  it('is installed globally without a registry, and runs without the repository', async () => {
    const prefix = join(first.path, 'global');
    const { stderr } = await run(
      'npm',
      ['install', '--global', '--offline', '--prefix', prefix, join(first.path, TARBALL)],
      { cwd: first.path },
    );
    expect(stderr).not.toContain('EBADENGINE');
    const command = join(prefix, 'bin/mte-api-relay');
    const printed = async (...args: readonly string[]): Promise<string> =>
      (await run(command, args, { cwd: first.path, env: { PATH: process.env['PATH'] } })).stdout;
    expect(await printed('--version')).toBe(`mte-api-relay ${version}\n`);
    expect(await printed('secret')).toMatch(/^[\w-]{43}\n$/);
    expect(await printed('client', 'add', 'billing')).toContain('sha256: ');
    expect(await printed('demo', '--once')).toMatch(/Every step was as expected\.\n$/);
  });
});

/** The source on the day of a release. */
const dated = (path: string): string =>
  readFileSync(path, 'utf8').replace(/^## Unreleased: (\S+)$/m, '## $1, 2027-01-31');

function filesOfTarball(): readonly string[] {
  return execFileSync('tar', ['-tzf', join(first.path, TARBALL)], {
    encoding: 'utf8',
    maxBuffer: 16 * MIB,
  })
    .trim()
    .split('\n');
}
