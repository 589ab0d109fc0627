import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadConfig } from '@relay/config';
import { ERRORS, type ErrorCode } from '@relay/errors';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/clients.md'), 'utf8');

/** Tests of the two ways themselves, by clients of these tests. */
const WITHOUT_PROGRAM = ['forward-proxy', 'listeners', 'listeners-live', 'listeners-streams'];

describe('docs/clients.md', () => {
  it('names the status of each code as the relay sends it', () => {
    const stated = [...document.matchAll(/(\d{3}) `(RELAY_[A-Z_]+)`/g)].map(([, status, code]) => [
      code,
      Number(status),
    ]);
    const sent = stated.map(([code]) => {
      const entry = ERRORS[code as ErrorCode];
      return [code, 'client' in entry ? entry.client.status : undefined];
    });

    expect(stated.length).toBeGreaterThan(5);
    expect(stated).toEqual(sent);
  });

  it('names the test of each program, and no other', () => {
    const linked = [
      ...document.matchAll(/\]\(\.\.\/test\/e2e\/plain-clients\/([\w-]+)\.spec\.ts\)/g),
    ];
    const specs = readdirSync(join(root, 'test/e2e/plain-clients')).map((name) =>
      name.replace('.spec.ts', ''),
    );

    expect(linked.map(([, name]) => name).sort()).toEqual(
      specs.filter((name) => !WITHOUT_PROGRAM.includes(name)).sort(),
    );
  });

  it('shows peers and clients that the relay takes as they are, but for the hash and the path of the secret', async () => {
    const folder = forThisTest(await temporaryFolder());
    const file = join(folder.path, 'relay.yaml');
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(document) ?? [];
    writeFileSync(join(folder.path, 'payments'), randomBytes(32).toString('base64url'));
    writeFileSync(file, yaml.replace('…', 'a'.repeat(64)).replace('/run/secrets', folder.path));

    const { config } = loadConfig({ REDIS_URL: 'memory://', RELAY_CONFIG_FILE: file });

    expect(config.directory.peers).toMatchObject([
      {
        hosts: ['api.payments.example:80', '*.pay.example:8080'],
        listen: { at: { kind: 'tcp', host: '127.0.0.1', port: 9101 }, client: 'billing' },
      },
    ]);
  });
});
