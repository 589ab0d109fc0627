import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { configOf, read, ROOT, SAMPLE } from '../support/assertions/deploy-files.js';

const dockerfile = read('Dockerfile');

describe('the Dockerfile', () => {
  it('starts programs that the build creates, without a shell and not as root', () => {
    for (const program of ['main', 'healthcheck']) {
      expect(dockerfile).toMatch(
        new RegExp(`CMD \\["node", ("--[^"]+", )*"dist/apps/relay/src/${program}\\.js"\\]`),
      );
      expect(existsSync(join(ROOT, `apps/relay/src/${program}.ts`))).toBe(true);
    }
    expect(dockerfile).toMatch(/^ENTRYPOINT \[\]$/m);
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  it('starts the relay with the flags of npm start', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    const flags = (text = ''): readonly string[] => text.match(/--[\w=-]+/g) ?? [];
    expect(flags(/^CMD .*$/m.exec(dockerfile)?.[0])).toEqual(flags(scripts.start));
    expect(flags(scripts.start)).not.toEqual([]);
  });

  it('gives the allocator the setting of npm start', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    const settings = (text: string): readonly string[] => text.match(/\bMALLOC_\w+=\S+/g) ?? [];
    expect(settings(dockerfile)).toEqual(settings(scripts.start));
    expect(settings(dockerfile)).toEqual(['MALLOC_TRIM_THRESHOLD_=131072']);
  });

  it('builds with every engine: no line requires BuildKit', () => {
    expect(dockerfile).not.toMatch(/^# *syntax|--mount|--chmod|--link|<</m);
  });

  it('is based on the Node.js version in .nvmrc', () => {
    const base = `node:${read('.nvmrc').trim()}-bookworm-slim`;
    for (const path of ['Dockerfile', 'deploy/docker/sample-upstream/Dockerfile']) {
      expect(read(path)).toContain(`ARG BASE_IMAGE=${base}\n`);
    }
  });

  it('sets variables that a relay accepts', () => {
    expect(configOf(SAMPLE)).toMatchObject({
      nodeEnv: 'production',
      port: 8080,
      adminPort: 9464,
      adminHost: '0.0.0.0',
    });
  });

  it('copies exactly what .dockerignore lets through', () => {
    const [first, ...rest] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const allowed = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, names = '']) => names.split(' '),
    );
    expect(allowed.sort()).toEqual([...new Set(copied)].sort());
  });
});
