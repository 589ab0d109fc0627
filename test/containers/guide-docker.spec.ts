import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { blocksOf, under } from '../support/assertions/guide-text.js';
import { COMPOSE, docker, inspect, logsOf, run, waitUntil } from './engine.js';
import { expectUnused, Reader, type Printed } from './guide.js';

const SIGNED_IN = '{"signedIn":true,"as":"ada"}';
const MEMORY_BYTES = 1024 * 1024 * 1024;

/** What both ways have in common, however the containers are named. */
async function expectTunnel(
  printed: Printed,
  names: { readonly receiving: string; readonly sending: string; readonly upstream: string },
): Promise<void> {
  expect(printed['A relay that receives']).toContain('"sessionStore":{"responseTime":');
  expect(printed['A relay that sends']).toContain('"relayAudience":"set"');
  expect(printed['A request through both'].trim()).toBe(SIGNED_IN);
  expect(await logsOf(names.upstream)).toContain('POST /api/login');
  for (const relay of [names.receiving, names.sending]) {
    const log = await logsOf(relay);
    expect(log).toContain('"nodeEnv":"production"');
    const warnings = log.match(/^\{"level":[456]0.*$/gm) ?? [];
    expect(warnings.filter((line) => !line.includes('sessions stay in this process'))).toEqual([]);
    expect(log).not.toContain('api/login');
    expect(await inspect(relay, '{{.HostConfig.Memory}}')).toBe(String(MEMORY_BYTES));
  }
}

/** Only this user can read the files of secrets. */
function expectPrivate(reader: Reader): void {
  for (const name of ['client-id-secret', 'outbound-token', 'relay.env']) {
    for (const side of ['receiving', 'sending']) {
      expect(statSync(join(reader.folder, side, name)).mode & 0o077, name).toBe(0);
    }
  }
}

describe('the commands of docs/deployment.md for docker run', () => {
  let reader: Reader;
  let printed: Printed;

  beforeAll(async () => {
    const names = ['mte-receiving', 'mte-sending', 'sample-upstream'];
    await expectUnused(...names.map((name) => `name=^/${name}$`));
    reader = await Reader.create();
    printed = await reader.follow('Docker');
  });

  afterAll(async () => {
    await docker('rm', '--force', 'mte-receiving', 'mte-sending', 'sample-upstream');
    await docker('network', 'rm', 'mte').catch(() => undefined);
    reader.remove();
  });

  it('start a relay that receives and one that sends, and carry a request through both', async () => {
    await expectTunnel(printed, {
      receiving: 'mte-receiving',
      sending: 'mte-sending',
      upstream: 'sample-upstream',
    });
  });

  it('publish the relay that sends only to this machine', async () => {
    const format =
      '{{range $_, $all := .NetworkSettings.Ports}}{{range $all}}{{.HostIp}} {{end}}{{end}}';
    expect(await inspect('mte-sending', format)).toBe('127.0.0.1');
  });

  it('keep every secret in a file that only its user can read', () => {
    expectPrivate(reader);
    expect(reader.read('sending/client-id-secret')).toBe(reader.read('receiving/client-id-secret'));
    expect(reader.read('sending/outbound-token')).not.toBe(reader.read('receiving/outbound-token'));
  });
});

/** The containers of a section that uses Docker Compose: a project for each side. */
const PROJECTS = ['receiving', 'sending'];

const containerOf = async (side: string, service: string): Promise<string> => {
  const labels = [`project=${side}`, `service=${service}`].flatMap((label) => [
    '--filter',
    `label=com.docker.compose.${label}`,
  ]);
  return docker('ps', '--quiet', ...labels);
};

async function followCompose(reader: Reader, section: string): Promise<Printed> {
  await expectUnused(...PROJECTS.map((name) => `label=com.docker.compose.project=${name}`));
  return reader.follow(section);
}

async function removeProjects(reader: Reader): Promise<void> {
  const [program, ...args] = COMPOSE;
  for (const side of [...PROJECTS].reverse()) {
    await run(program, [...args, '--profile', 'sample', 'down', '--volumes', '--timeout', '5'], {
      folder: join(reader.folder, side),
    });
  }
  reader.remove();
}

describe('the commands of docs/deployment.md for Docker Compose', () => {
  let reader: Reader;
  let printed: Printed;

  beforeAll(async () => {
    reader = await Reader.create();
    printed = await followCompose(reader, 'Docker Compose');
  });

  afterAll(() => removeProjects(reader));

  it('start a relay that receives and one that sends, and carry a request through both', async () => {
    await expectTunnel(printed, {
      receiving: await containerOf('receiving', 'relay'),
      sending: await containerOf('sending', 'relay'),
      upstream: await containerOf('receiving', 'sample-upstream'),
    });
  });

  it('keep the sessions in a Redis that only the relay reaches', async () => {
    const redis = await containerOf('receiving', 'redis');
    expect(await logsOf(await containerOf('receiving', 'relay'))).toContain('"role":"primary"');
    expect(await inspect(redis, '{{len .NetworkSettings.Networks}}')).toBe('1');
    expect(
      await docker('network', 'inspect', '--format', '{{.Internal}}', 'receiving_sessions'),
    ).toBe('true');
  });

  it('keep every secret in a file that only its user can read', () => {
    expectPrivate(reader);
  });
});

describe('the commands of docs/deployment.md for a directory file', () => {
  let reader: Reader;
  let printed: Printed;

  const request = async (name: string): Promise<string> => {
    const commands = under(reader.section('With a directory file'), 3, 'A request through both');
    return run('bash', ['-c', `${blocksOf(commands).join('').replace('billing', name)} || true`], {
      folder: reader.folder,
    });
  };

  beforeAll(async () => {
    reader = await Reader.create();
    printed = await followCompose(reader, 'With a directory file');
  });

  afterAll(() => removeProjects(reader));

  it('start both relays without a role that their file does not have, and carry a request through both', async () => {
    expect(printed['A relay that receives']).toContain(
      '"file":"in use","peers":2,"clients":0,"tenants":2',
    );
    expect(printed['A relay that sends']).toContain(
      '"file":"in use","peers":1,"clients":2,"tenants":0',
    );
    expect(printed['A request through both'].trim()).toBe(SIGNED_IN);
    expect(await logsOf(await containerOf('sending', 'relay'))).toContain('"client":"billing"');
    expect(await logsOf(await containerOf('receiving', 'relay'))).toContain('"peer":"shop"');
  });

  it('mount the folder, so that a client that is removed from the file is refused', async () => {
    const file = join(reader.folder, 'sending/directory/relay.yaml');
    // Replaced and not written to, as many editors do.
    writeFileSync(
      `${file}.new`,
      readFileSync(file, 'utf8').replace(/ {2}reports:\n(?: {4}.*\n)*/, ''),
    );
    renameSync(`${file}.new`, file);
    await waitUntil('the client is revoked', async () =>
      (await request('reports')).includes('RELAY_TOKEN_INVALID'),
    );
    expect(await request('billing')).toBe(SIGNED_IN);
  });
});
