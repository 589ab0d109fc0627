import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface ImportRule {
  readonly name: string;
  readonly to: { readonly pathNot?: readonly string[] };
}

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: readonly ImportRule[];
};

/** Library names, as `session` from `^libs/session/`, without the library itself. */
const allowedBy = ({ name, to }: ImportRule) =>
  (to.pathNot ?? [])
    .map((path) => path.replace(/^\^libs\/(.*)\/$/, '$1'))
    .filter((lib) => `${lib}-imports` !== name)
    .sort();

const folders = (path: string) =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

describe('docs/architecture.md', () => {
  it('lists every library with the imports that the architecture rules allow', () => {
    const rows = [...text.matchAll(/^\| `libs\/(\w+)` *\|[^|]*\|([^|]*)\|$/gm)].map(
      ([, lib, imports]) => [lib, [...imports!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)],
    );
    const rules = folders('libs').map((lib) => {
      const rule = forbidden.find(({ name }) => name === `${lib}-imports`);
      return [lib, rule === undefined ? 'no rule' : allowedBy(rule)];
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(rules));
  });

  it('lists every folder of the service', () => {
    const listed = [...text.matchAll(/^\| `([a-z-]+)` *\|/gm)].map(([, folder]) => folder);
    expect(listed.sort()).toEqual(folders('apps/relay/src'));
  });

  it('names only files that exist', () => {
    const section = (heading: string) => text.split(`${heading}\n`)[1]!.split(/^#/m)[0]!;
    const inFolders = [
      ['outbound', section('### Outbound')],
      ['inbound', section('### Inbound')],
      ['supervisor', section('### Several workers')],
    ].flatMap(([folder, prose]) =>
      [...prose!.matchAll(/`([\w.-]+[.]ts)`/g)].map(
        ([, file]) => `apps/relay/src/${folder!}/${file!}`,
      ),
    );
    const withPaths = [...text.matchAll(/`((?:apps|libs)\/[\w./-]+[.]ts)`/g)].map(
      ([, file]) => file!,
    );
    const missing = [...inFolders, ...withPaths].filter((file) => !existsSync(join(root, file)));
    expect(inFolders.length).toBeGreaterThan(10);
    expect(withPaths.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });
});
