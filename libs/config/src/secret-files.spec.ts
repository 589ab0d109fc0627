import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ConfigInvalidError } from './config.errors.js';
import { loadConfig } from './load-config.js';
import { FILE_VARIABLES } from './secret-files.js';

const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const REQUIRED = {
  UPSTREAM: 'http://localhost:3000',
  CLIENT_ID_SECRET: SECRET,
  OUTBOUND_TOKEN: 'a-token-of-more-than-24-characters',
  REDIS_URL: 'memory://',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const problemsWith = (environment: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig(environment);
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
  return [];
};

describe('a secret in a file', () => {
  it('is used like the value of its variable, without the line break at the end', () => {
    const path = join(folder, 'secret');
    writeFileSync(path, `${SECRET}\r\n`);
    const { config } = loadConfig({
      ...REQUIRED,
      CLIENT_ID_SECRET: '',
      CLIENT_ID_SECRET_FILE: path,
    });
    expect(config.clientIdSecret).toBe(SECRET);
  });

  it.each(FILE_VARIABLES)('is refused if %s itself is also set', (name) => {
    const environment = {
      ...REQUIRED,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318',
      [name]: SECRET,
      [`${name}_FILE`]: join(folder, 'any'),
    };
    expect(problemsWith(environment)).toContain(
      `${name}_FILE must not be set together with ${name}`,
    );
  });

  it('that is missing is reported alone, and not what it takes the place of', () => {
    const environment = { REDIS_URL: 'memory://', DOMAIN_MAP_FILE: join(folder, 'gone') };
    expect(problemsWith(environment)).toEqual(['DOMAIN_MAP_FILE cannot be read (ENOENT)']);
  });

  it('that is missing is reported with its variable, not with its path', () => {
    const path = join(folder, 'gone');
    const problems = problemsWith({ ...REQUIRED, OUTBOUND_TOKEN: '', OUTBOUND_TOKEN_FILE: path });
    expect(problems).toEqual(['OUTBOUND_TOKEN_FILE cannot be read (ENOENT)']);
    expect(problems.join()).not.toContain(path);
  });

  it('that is a folder is reported once, with the reason', () => {
    const problems = problemsWith({
      ...REQUIRED,
      CLIENT_ID_SECRET: '',
      CLIENT_ID_SECRET_FILE: folder,
    });
    expect(problems).toEqual(['CLIENT_ID_SECRET_FILE cannot be read (EISDIR)']);
  });

  it('is not read if the variable that names it is empty', () => {
    expect(problemsWith({ ...REQUIRED, REDIS_URL_FILE: '' })).toEqual([]);
  });
});
