import { describe, expect, it } from 'vitest';

import { configOf, read, SAMPLE } from '../support/assertions/deploy-files.js';

const dockerfile = read('Dockerfile');

describe('the Dockerfile', () => {
  it('runs commands of mte-api-relay, and not as root', () => {
    expect(dockerfile).toMatch(/^ENTRYPOINT \["\/app\/bin\/mte-api-relay"\]\nCMD \["start"\]$/m);
    expect(dockerfile).toMatch(/^ {2}CMD \["\/app\/bin\/mte-api-relay", "healthcheck"\]$/m);
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
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
