import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '@relay/config';
import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** The anchors that GitHub derives from the headings of a document. */
const anchorsOf = (path: string) =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

describe.each(documents)('%s', (path) => {
  it('links only to files and headings that exist', () => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const broken = links
      .map(([, file, anchor]) => ({
        target: file === '' ? path : join(dirname(path), file!),
        anchor,
      }))
      .filter(
        ({ target, anchor }) =>
          !existsSync(join(root, target)) ||
          (anchor !== undefined && !anchorsOf(target).includes(anchor)),
      );
    expect(broken).toEqual([]);
  });
});

describe('README.md', () => {
  const readme = read('README.md');

  it('has at most 200 lines', () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(200);
  });

  it('starts relays with valid environments, and calls them with their token', () => {
    const shells = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, commands]) => commands!);
    const environments = shells
      .filter((commands) => commands.includes('npm start'))
      .map((commands) =>
        Object.fromEntries(
          [...commands.matchAll(/^(?:export )?([A-Z_]+)=(\S+)/gm)].map(([, name, value]) => [
            name!,
            value!,
          ]),
        ),
      );
    expect(environments.map((environment) => loadConfig(environment).config.port)).toEqual([
      8080, 8081,
    ]);

    const curl = shells.find((commands) => commands.startsWith('curl'))!;
    const [token] = environments.map((environment) => environment['OUTBOUND_TOKEN']!);
    expect(curl).toContain(`x-mte-outbound-token: ${token!}`);
    expect(curl).toContain('localhost:8080');
    expect(curl).toContain('x-mte-upstream: http://localhost:8081');
  });

  it('shows a directory file that the relay takes as it is, but for the hash and the path of the secret', async () => {
    const folder = forThisTest(await temporaryFolder());
    const file = join(folder.path, 'relay.yaml');
    writeFileSync(join(folder.path, 'shop'), randomBytes(32).toString('base64url'));
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
    writeFileSync(file, yaml.replace('…', 'a'.repeat(64)).replace('/run/secrets', folder.path));
    const { config, warnings } = loadConfig({
      NODE_ENV: 'production',
      REDIS_URL: 'redis://redis:6379',
      RELAY_CONFIG_FILE: file,
    });
    expect(config.directory).toMatchObject({
      peers: [{ name: 'shop' }],
      clients: [{ name: 'billing', peers: ['shop'] }],
      tenants: [{ name: 'https://relay.example.com', peers: ['shop'] }],
    });
    expect(warnings.filter((line) => line.includes('relay.yaml'))).toEqual([]);
  });
});
