import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { ENVIRONMENT_VARIABLES, loadConfig } from '@relay/config';
import { describe, expect, it } from 'vitest';

import { configOf, expectTimeToStop, read, SAMPLE } from '../support/assertions/deploy-files.js';
import { blocksOf, under } from '../support/assertions/guide-text.js';
import { assignments, settings, UNIT, valuesOf } from '../support/assertions/systemd-unit.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { hasProgram } from '../support/processes/apt-packages.js';
import { runProgram, runs } from '../support/programs/program.js';

const MAX_EXPOSURE = 2;
const EXPOSURE = /Overall exposure level for \S+: ([\d.]+)/;
const CREDENTIALS = '%d/secrets_';

const unit = read(UNIT);
const environment = assignments(valuesOf(unit, 'Environment'));
const guide = read('docs/debian.md');
const variables: readonly string[] = Object.values(ENVIRONMENT_VARIABLES);
/** The files of secrets by variable, as in CLIENT_ID_SECRET: client-id-secret. */
const secrets = Object.fromEntries(
  Object.entries(environment)
    .filter(([, value]) => value.startsWith(CREDENTIALS))
    .map(([name, value]) => [name.replace(/_FILE$/, ''), value.slice(CREDENTIALS.length)]),
);

describe.skipIf(!hasProgram(['systemd'], 'systemd-analyze', '--version'))('systemd', () => {
  it('finds nothing wrong with the unit if the program is there', async () => {
    const folder = forThisTest(await temporaryFolder());
    const path = join(folder.path, basename(UNIT));
    writeFileSync(path, unit.replaceAll('/usr/bin/mte-api-relay', resolve('bin/mte-api-relay')));
    // Manual pages are those of the package.
    const args = ['verify', '--man=no', path];
    expect(await runProgram('systemd-analyze', args)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('rates the exposure of the unit as docs/debian.md says', async () => {
    const args = ['security', '--offline=true', '--no-pager', resolve(UNIT)];
    const [, exposure] = EXPOSURE.exec(await runs('systemd-analyze', args)) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(MAX_EXPOSURE);
    expect(guide).toContain(`rates its exposure at less than ${MAX_EXPOSURE} of 10`);
  });
});

describe('the unit', () => {
  it('sets variables of docs/configuration.md only', () => {
    const documented = read('docs/configuration.md');
    for (const name of [...Object.keys(environment), ...Object.keys(settings('all'))]) {
      const variable = variables.includes(name) ? name : name.replace(/_FILE$/, '');
      expect(variables, name).toContain(variable);
      expect(documented).toContain(`| \`${variable}\``);
    }
  });

  it('has an empty secret for each one that may be missing, as docs/debian.md lists them', () => {
    const empty = valuesOf(unit, 'SetCredential').map((value) => value.split(':'));
    expect(empty).toEqual(Object.values(secrets).map((name) => [`secrets_${name}`, '\\n']));
    const listed = [
      ...under(guide, 2, 'Install').matchAll(/^\| `([a-z-]+)` +\| `([A-Z_]+)` +\|/gm),
    ].map(([, file, variable]) => [variable!, file!]);
    expect(Object.fromEntries(listed)).toEqual(secrets);
  });

  it('lets an empty secret count as unset', async () => {
    const folder = forThisTest(await temporaryFolder());
    const path = join(folder.path, 'empty');
    writeFileSync(path, '\n');
    const { CLIENT_ID_SECRET, OUTBOUND_TOKEN, UPSTREAM } = SAMPLE;
    const load = (more: object) =>
      loadConfig({ UPSTREAM, REDIS_URL: 'memory://', OUTBOUND_TOKEN, ...more }).config;
    expect(
      load({ CLIENT_ID_SECRET, CLIENT_ID_SECRET_ALT_FILE: path, ADMIN_TOKEN_FILE: path }),
    ).toMatchObject({ clientIdSecretAlt: undefined, adminToken: undefined });
    expect(() => load({ CLIENT_ID_SECRET_FILE: path })).toThrow(
      expect.objectContaining({ problems: ['CLIENT_ID_SECRET is required'] }),
    );
  });

  it('and the settings of the package make a relay, which has time to stop', () => {
    const { RELAY_CONFIG_FILE: directory, REDIS_URL_FILE: file, ...examples } = settings('all');
    expect(directory).toBe('/etc/mte-api-relay/directory/relay.yaml');
    expect(file).toBe('/run/credentials/mte-api-relay.service/secrets_redis-url');
    const config = configOf({ ...environment, ...examples });
    expect(config).toMatchObject({ nodeEnv: 'production', redisUrl: 'memory://', adminPort: 9464 });
    expectTimeToStop(Number(valuesOf(unit, 'TimeoutStopSec')[0]), config);
    expect(Object.keys(settings('made'))).toEqual(['REDIS_URL']);
  });

  it('finds the URL of a Redis in a file, with the lines that relay.env has for that', async () => {
    const { REDIS_URL_FILE: path = '' } = settings('all');
    const folder = forThisTest(await temporaryFolder());
    const file = join(folder.path, 'redis-url');
    writeFileSync(file, `${SAMPLE.REDIS_URL}\n`);
    const { REDIS_URL: redisUrl, ...sample } = SAMPLE;
    const { config } = loadConfig({ ...sample, REDIS_URL_FILE: file });
    expect(config.redisUrl).toBe(redisUrl);
    for (const text of [guide, read('deploy/debian/mte-api-relay.1').replaceAll('\\-', '-')]) {
      expect(text).toContain(`REDIS_URL_FILE=${path}`);
    }
  });
});

describe('the commands without the package', () => {
  it('keep changed settings if they are repeated', async () => {
    const { path } = forThisTest(await temporaryFolder());
    const commands = under(guide, 2, 'Without the package').replaceAll(
      /\/(?=etc\/|usr\/)/g,
      `${path}/`,
    );
    const script = `sudo() { "$@"; }; systemctl() { :; }; ${blocksOf(commands).join('')}`;
    for (const folder of ['etc/systemd/system', 'usr/bin']) {
      mkdirSync(join(path, folder), { recursive: true });
    }
    writeFileSync(join(path, 'usr/bin/mte-api-relay'), '');
    const settingsFile = join(path, 'etc/mte-api-relay/relay.env');

    await runs('bash', ['-euc', script], { cwd: resolve('.') });
    expect(readFileSync(settingsFile, 'utf8')).toBe(read('deploy/debian/relay.env'));
    writeFileSync(settingsFile, 'PORT=8090\n');
    await runs('bash', ['-euc', script], { cwd: resolve('.') });
    expect(readFileSync(settingsFile, 'utf8')).toBe('PORT=8090\n');
  });
});
