import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { COMPOSE, docker, inspect, logsOf, run } from './engine.js';
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

describe('the commands of docs/deployment.md for Docker Compose', () => {
  let reader: Reader;
  let printed: Printed;

  const container = async (side: string, service: string): Promise<string> => {
    const labels = [`project=${side}`, `service=${service}`].flatMap((label) => [
      '--filter',
      `label=com.docker.compose.${label}`,
    ]);
    return docker('ps', '--quiet', ...labels);
  };

  beforeAll(async () => {
    const projects = ['receiving', 'sending'];
    await expectUnused(...projects.map((name) => `label=com.docker.compose.project=${name}`));
    reader = await Reader.create();
    printed = await reader.follow('Docker Compose');
  });

  afterAll(async () => {
    const [program, ...args] = COMPOSE;
    for (const side of ['sending', 'receiving']) {
      await run(program, [...args, '--profile', 'sample', 'down', '--volumes', '--timeout', '5'], {
        folder: join(reader.folder, side),
      });
    }
    reader.remove();
  });

  it('start a relay that receives and one that sends, and carry a request through both', async () => {
    await expectTunnel(printed, {
      receiving: await container('receiving', 'relay'),
      sending: await container('sending', 'relay'),
      upstream: await container('receiving', 'sample-upstream'),
    });
  });

  it('keep the sessions in a Redis that only the relay reaches', async () => {
    const redis = await container('receiving', 'redis');
    expect(await logsOf(await container('receiving', 'relay'))).toContain('"role":"primary"');
    expect(await inspect(redis, '{{len .NetworkSettings.Networks}}')).toBe('1');
    expect(
      await docker('network', 'inspect', '--format', '{{.Internal}}', 'receiving_sessions'),
    ).toBe('true');
  });

  it('keep every secret in a file that only its user can read', () => {
    expectPrivate(reader);
  });
});
