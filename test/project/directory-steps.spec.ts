import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ConfigInvalidError } from '@relay/config';
import { loadConfig, type Directory } from '@relay/config';
import { beforeEach, describe, expect, it } from 'vitest';
import type { YAMLMap } from 'yaml';
import { parseDocument } from 'yaml';

import { followDirectoryGuide } from '../support/assertions/directory-guide.js';
import { read, ROOT } from '../support/assertions/deploy-files.js';
import { under } from '../support/assertions/guide-text.js';
import { forThisTest } from '../support/lifecycle/resources.js';

const CHANGES = under(read('docs/operations.md'), 2, 'Changing the directory');
const RECEIVING = 'receiving/directory/relay.yaml';
const SENDING = 'sending/directory/relay.yaml';

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The blocks of a list of steps, without its indentation. */
const blocksUnder = (heading: string): readonly Block[] =>
  [...under(CHANGES, 3, heading).matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms)].map(
    ([, indentation = '', language = '', text = '']) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
    }),
  );

/** The number of entries in the lines of the log that the steps print. */
const loggedUnder = (heading: string): readonly string[] =>
  [...under(CHANGES, 3, heading).matchAll(/"directory":(\{[^}]*\})/g)].map(([, json = '']) => json);

const countOf = ({ peers, clients, tenants }: Directory): string =>
  JSON.stringify({ peers: peers.length, clients: clients.length, tenants: tenants.length });

let folder: string;

beforeEach(async () => {
  folder = forThisTest(await followDirectoryGuide()).path;
});

const load = (file: string): Directory =>
  loadConfig({
    NODE_ENV: 'production',
    REDIS_URL: 'memory://',
    RELAY_CONFIG_FILE: join(folder, file),
  }).config.directory;

const problemsOf = (file: string): readonly string[] => {
  try {
    load(file);
    return [];
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
};

const run = (commands: string): void => {
  // The folder is no clone of this repository.
  const ours = commands.replaceAll(
    'npm run --silent client --',
    `${ROOT}/bin/mte-api-relay client`,
  );
  const { status, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', ours], {
    cwd: folder,
    // With a socket as its input, bash takes itself for a remote shell, and reads its start-up file.
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
};

/** Adds the entries that a step prints, in the place of those of the same name. */
const edit = (file: string, printed: string): void => {
  const path = join(folder, file);
  const document = parseDocument(readFileSync(path, 'utf8'));
  const added = parseDocument(printed).contents as YAMLMap<{ value: string }, YAMLMap>;
  for (const { key: part, value: entries } of added.items) {
    for (const { key, value } of (entries as YAMLMap<{ value: string }>).items) {
      document.setIn([part.value, key.value], value);
    }
  }
  writeFileSync(path, String(document));
};

/** Follows the blocks of a section one after another. @returns the directory of `file` after each change of it */
const follow = (heading: string, file: string): readonly Directory[] =>
  blocksUnder(heading).flatMap(({ language, text }) => {
    if (language === 'sh') {
      run(text);
    } else if (language === 'yaml') {
      edit(file, text);
    }
    return language === 'yaml' ? [load(file)] : [];
  });

describe('docs/operations.md, followed step by step', () => {
  it('adds a customer with a tenant that no other peer may enter', () => {
    const heading = 'Add a customer';
    const [directory] = follow(heading, RECEIVING);
    expect(loggedUnder(heading)).toEqual([countOf(directory!)]);
    expect(directory?.tenants.map(({ peers }) => peers)).toEqual([
      ['shop'],
      ['warehouse'],
      ['bakery'],
    ]);
  });

  it('prints the problem of a misspelt key as the relay does', () => {
    const heading = 'Add a customer';
    follow(heading, RECEIVING);
    const path = join(folder, RECEIVING);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/peers(?=: \[ ?bakery)/, 'peer'));
    const [, reason = ''] = /"reason":("(?:\\.|[^"\\])*")/.exec(under(CHANGES, 3, heading)) ?? [];
    // Editing by program has moved comments to lines of their own.
    const withoutLine = (text: string): string => text.replace(/:\d+:/, ':');
    expect(problemsOf(RECEIVING).map(withoutLine)).toEqual([
      withoutLine(JSON.parse(reason) as string),
    ]);
  });

  it('adds a client', () => {
    const heading = 'Add a client';
    const [directory] = follow(heading, SENDING);
    expect(loggedUnder(heading)).toEqual([countOf(directory!)]);
    expect(directory?.clients.map(({ name, peers }) => [name, peers])).toEqual([
      ['billing', ['orders']],
      ['reports', ['orders']],
      ['invoices', ['orders']],
    ]);
  });

  it('revokes one of two tokens of a client, and no other', () => {
    const heading = 'Revoke one token';
    const [leaked, others] = [load(SENDING).clients[0]!.tokens, load(SENDING).clients[1]!];
    follow(heading, SENDING);
    const directory = load(SENDING);
    const digest = createHash('sha256')
      .update(readFileSync(join(folder, 'sending/billing-token-2'), 'utf8').trim())
      .digest('hex');
    expect(directory.clients[0]?.tokens).toMatchObject([{ sha256: digest }]);
    expect(directory.clients[0]?.tokens).not.toEqual(leaked);
    expect(directory.clients[1]).toEqual(others);
    expect(loggedUnder(heading)).toEqual([countOf(directory)]);
  });

  it('rotates the secret of one peer, so that both sides share one at every step', () => {
    const heading = "Rotate one peer's secret";
    const before = load(SENDING).peers[0]!.secret;
    const [both, last] = follow(heading, RECEIVING).map(({ peers }) => peers);
    const { secret: after } = load(SENDING).peers[0]!;
    expect(after).not.toBe(before);
    expect(both![0]).toMatchObject({ name: 'shop', secret: before, secretAlt: after });
    expect(last![0]).toMatchObject({ name: 'shop', secret: after, secretAlt: undefined });
    expect(both![1]).toEqual(last![1]);
    expect(loggedUnder(heading)).toEqual([countOf(load(SENDING))]);
  });

  it('moves a tenant to another upstream', () => {
    const [directory] = follow('Move a tenant to another upstream', RECEIVING);
    expect(directory?.tenants.map(({ upstream }) => upstream)).toEqual([
      'http://sample-upstream-2:3000',
      'http://stock.internal:3000',
    ]);
  });
});
