import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

const rows = [...read('docs/dependencies.md').matchAll(/^\| `.*\|$/gm)].map(([line]) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', '')),
);
const production = Object.entries(lock.packages).filter(
  ([path, { dev }]) => path !== '' && dev !== true,
);
const manifestOf = (path: string) => JSON.parse(read(join(path, 'package.json'))) as Manifest;

describe('docs/dependencies.md', () => {
  it('lists every production dependency and no other', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(manifest.dependencies ?? {}).sort());
  });

  it('states the purpose, the licence and the maintainer of each', () => {
    for (const cells of rows) {
      expect(cells.filter((cell) => cell !== '')).toHaveLength(4);
    }
    const licences = rows.map(([name, , licence]) => [name, licence]);
    const installed = rows.map(([name]) => [name, manifestOf(`node_modules/${name!}`).license]);
    expect(licences).toEqual(installed);
  });
});

describe('the production packages', () => {
  it('are each pinned by a hash', () => {
    expect(production.length).toBeGreaterThan(0);
    const loose = production.filter(
      ([, { integrity }]) => integrity?.startsWith('sha512-') !== true,
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });

  it('run no code during their installation', () => {
    const locked = production.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    // The lock file repeats the registry; the manifests show what is installed. Optional packages may be missing.
    const installed = production.filter(
      ([path]) =>
        existsSync(join(root, path)) &&
        ['preinstall', 'install', 'postinstall'].some(
          (name) => manifestOf(path).scripts?.[name] !== undefined,
        ),
    );
    expect([...locked, ...installed].map(([path]) => path)).toEqual([]);
  });
});
