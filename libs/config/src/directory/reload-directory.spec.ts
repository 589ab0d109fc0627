import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  OTHER_SECRET,
  SECRET,
  TOKEN_HASH as HASH,
} from '../../../../test/support/relays/directory-file.js';
import type { ConfigInvalidError } from '../config.errors.js';
import { loadConfig, reloadDirectory, type LoadedConfig } from '../load-config.js';

const PEERS = 'peers: { shop: { secret: { env: SHOP } } }\n';
const CLIENTS = `clients: { billing: { tokens: [{ sha256: "${HASH}" }] } }\n`;

let folder: string;
let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reload-'));
  environment = {
    REDIS_URL: 'memory://',
    RELAY_CONFIG_FILE: join(folder, 'relay.yaml'),
    SHOP: OTHER_SECRET,
  };
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const write = (text: string): void => {
  writeFileSync(join(folder, 'relay.yaml'), text);
};

const start = (text: string): LoadedConfig => {
  write(text);
  return loadConfig(environment);
};

const reload = ({ config }: LoadedConfig, text: string): ReturnType<typeof reloadDirectory> => {
  write(text);
  return reloadDirectory(config, environment);
};

const problemsOf = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
  return [];
};

describe('the variables whose values are in files', () => {
  beforeEach(() => {
    writeFileSync(join(folder, 'secret'), SECRET);
    writeFileSync(join(folder, 'proxy'), 'http://proxy.example:3128');
  });

  it('exclude the parts of a file that say the same, also later', () => {
    environment['CLIENT_ID_SECRET_FILE'] = join(folder, 'secret');
    const started = start(CLIENTS);
    const expected = [
      'relay.yaml:1: peers must not be there together with the variable CLIENT_ID_SECRET',
    ];
    expect(problemsOf(() => reload(started, PEERS + CLIENTS))).toEqual(expected);
    expect(problemsOf(() => start(PEERS + CLIENTS))).toEqual(expected);
  });

  it('have their values for what a file takes from variables, also later', () => {
    environment['PEER_PROXY_URL_FILE'] = join(folder, 'proxy');
    const text = `peers: { shop: { secret: { env: SHOP }, proxy: { env: PEER_PROXY_URL } } }\n${CLIENTS}`;
    const started = start(text);
    expect(reload(started, text).directory).toEqual(started.config.directory);
  });
});
