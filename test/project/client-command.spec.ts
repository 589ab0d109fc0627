import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const MS_PER_DAY = 24 * 60 * 60 * 1000;
const OLD = 'a'.repeat(64);
const FILE = `# Whom we know.
peers:
  payments:
    origins: [ https://relay.pay.example ] # how to reach it
clients:
  # invoices
  billing:
    tokens:
      - { sha256: "${OLD}", expires: 2020-03-01 } # Anna's
    peers: [ payments ]
    limits: { requestsPerSecond: 200, concurrent: 100 }
`;

interface Clients {
  readonly clients: Readonly<
    Record<string, { readonly tokens: readonly { sha256: string; expires?: string }[] }>
  >;
}

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const client = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['bin/main.js', 'client', ...args], (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A file in a folder of its own. */
const fileWith = async (text: string, name = 'relay.yaml'): Promise<string> => {
  const folder = forThisTest(await temporaryFolder());
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
};

const read = (file: string): string => readFileSync(file, 'utf8');
const clientsOf = (text: string): Clients['clients'] => (parse(text) as Clients).clients;

describe('npm run client -- add', () => {
  it('prints a token of 32 bytes, and the YAML with its SHA-256 and the date on which it expires', async () => {
    const { exitCode, stdout } = await client('add', 'billing', '--expires', '90d');

    const [token = '', ...yaml] = stdout.split('\n');
    expect(exitCode).toBe(0);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    const [added] = clientsOf(yaml.join('\n'))['billing']!.tokens;
    expect(added?.sha256).toBe(digestOf(token));
    const days = (Date.parse(added?.expires ?? '') - Date.now()) / MS_PER_DAY;
    expect(days).toBeGreaterThan(89);
    expect(days).toBeLessThanOrEqual(91);
    expect(added?.expires).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect((await client('add', 'billing')).stdout.split('\n')[0]).not.toBe(token);
  });

  it('adds a token to a client of a file, in which comments and all else stay', async () => {
    const file = await fileWith(FILE);

    const { exitCode, stdout } = await client('add', 'billing', '--file', file);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^[\w-]{43}\n$/);
    const added = `      - sha256: "${digestOf(stdout.trim())}"\n`;
    expect(read(file)).toBe(FILE.replace("# Anna's\n", `# Anna's\n${added}`));
    expect(read(file)).not.toContain(stdout.trim());
  });

  it('creates the client, and the clients, in a file that has none', async () => {
    for (const text of ['', '# nothing yet\n', 'peers: {}\n', 'clients:\n']) {
      const file = await fileWith(text);

      const { stdout } = await client('add', 'orders', '--file', file, '--expires', '2999-03-01');

      const sha256 = digestOf(stdout.trim());
      expect(clientsOf(read(file))).toEqual({
        orders: { tokens: [{ sha256, expires: '2999-03-01' }] },
      });
    }
  });

  it('leaves JSON JSON', async () => {
    const file = await fileWith('{ "peers": {}, "clients": {} }', 'relay.json');

    const { stdout } = await client('add', 'orders', '--file', file, '--expires', '2999-03-01');

    expect(JSON.parse(read(file))).toEqual({
      peers: {},
      clients: { orders: { tokens: [{ sha256: digestOf(stdout.trim()), expires: '2999-03-01' }] } },
    });
  });

  it('replaces the file that a link leads to at once, with its mode, and leaves nothing else behind', async () => {
    const file = await fileWith(FILE);
    chmodSync(file, 0o640);
    const link = `${file}.link`;
    symlinkSync(file, link);
    const before = statSync(file).ino;

    await client('add', 'billing', '--file', link);

    expect(statSync(file).mode & 0o7777).toBe(0o640);
    expect(statSync(file).ino).not.toBe(before);
    expect(read(link)).toBe(read(file));
    expect(readdirSync(join(file, '..'))).toEqual(['relay.yaml', 'relay.yaml.link']);
  });
});

describe('npm run client -- list', () => {
  it('shows each client with its tokens, peers and limits, and how long its tokens are valid', async () => {
    const file = await fileWith(FILE);
    await client('add', 'billing', '--file', file, '--expires', '90d');
    await client('add', 'orders', '--file', file);

    const { exitCode, stdout } = await client('list', '--file', file);

    expect(exitCode).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual([
      ...['client', 'tokens', 'token', 'expires', 'days left', 'peers', 'limits'],
    ]);
    expect(rows[1]).toEqual([
      ...['billing', '2', 'aaaaaaaa', '2020-03-01', 'expired', 'payments'],
      '200 per second, 100 at once',
    ]);
    expect(rows[2]).toEqual([
      '',
      expect.stringMatching(/^[0-9a-f]{8}$/),
      expect.stringMatching(/^\d{4}-/),
      expect.stringMatching(/^(89|90)$/),
    ]);
    expect(rows[3]).toEqual([
      ...['orders', '1'],
      expect.stringMatching(/^[0-9a-f]{8}$/),
      ...['never', 'all', 'none'],
    ]);
    expect(rows).toHaveLength(4);
  });
});

describe('npm run client -- revoke', () => {
  it('removes one token, or the client', async () => {
    const file = await fileWith(FILE);
    const added = await client('add', 'billing', '--file', file);
    const sha256 = digestOf(added.stdout.trim());

    expect((await client('revoke', 'billing', '--file', file, '--token', 'aaa')).exitCode).toBe(0);
    expect(clientsOf(read(file))['billing']?.tokens).toEqual([{ sha256 }]);

    expect((await client('revoke', 'billing', '--file', file)).exitCode).toBe(0);
    expect(clientsOf(read(file))).toEqual({});
    expect(read(file)).toContain('# how to reach it');
  });

  it('takes the last token of a client that a listener is for, and keeps the client', async () => {
    const file = await fileWith(
      FILE.replace('# how to reach it', '\n    listen: { client: billing, socket: pay.sock }'),
    );
    const before = read(file);
    const refused = await client('revoke', 'billing', '--file', file);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^the listener of the peer payments is for billing: [^\n]+\n$/);
    expect(read(file)).toBe(before);

    expect((await client('revoke', 'billing', '--file', file, '--token', 'aaa')).exitCode).toBe(0);
    expect(clientsOf(read(file))['billing']?.tokens).toEqual([]);
  });

  it('changes nothing if it is not clear which token is meant, or none would be left', async () => {
    const b = 'b'.repeat(63);
    const file = await fileWith(
      `clients:\n  x:\n    tokens: [{ sha256: "${b}1" }, { sha256: "${b}2" }]\n  y:\n    tokens: [{ sha256: "${OLD}" }]\n`,
    );
    const before = read(file);
    for (const args of [
      ['x', '--token', 'b'],
      ['x', '--token', 'c'],
      ['y', '--token', 'a'],
      ['z'],
    ]) {
      const { exitCode, stdout, stderr } = await client('revoke', ...args, '--file', file);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\n$/);
    }
    expect(read(file)).toBe(before);
  });
});

describe('npm run client', () => {
  it('says in one line why a file cannot be used, and leaves it as it was', async () => {
    for (const text of [
      'clients: [a, b]\n',
      'clients: { a: { tokens: 1 } }\n',
      '- a\n',
      'a: [\n',
    ]) {
      const file = await fileWith(text);
      const { exitCode, stdout, stderr } = await client('add', 'a', '--file', file);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).not.toMatch(/^ +at /m);
      expect(read(file)).toBe(text);
    }
    const { exitCode, stderr } = await client('list', '--file', '/nowhere/relay.yaml');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ENOENT');
  });

  it.each([
    [[], 'nothing is none of add, list, revoke'],
    [['rotate'], 'rotate is none of'],
    [['add'], 'the name of a client has'],
    [['add', '-x'], "Unknown option '-x'"],
    [['add', 'a b'], 'the name of a client has'],
    [['add', 'a', 'b'], "Unexpected argument 'b'"],
    [['add', 'a', '--token', 'aa'], 'add does not take --token'],
    [['add', 'a', '--expires', '90'], '--expires 90 is neither'],
    [['add', 'a', '--expires', '0d'], '--expires 0d is neither'],
    [['add', 'a', '--expires', '2999-02-31'], '--expires 2999-02-31 is neither'],
    [
      ['add', 'a', '--expires', '2020-03-01T01:00+02:00'],
      '--expires 2020-03-01T01:00+02:00 has passed',
    ],
    [['add', 'a', '--expires', '2020-03-01'], '--expires 2020-03-01 has passed'],
    [['list'], 'list needs --file'],
    [['revoke', 'a'], 'revoke needs --file'],
    [
      ['revoke', 'a', '--file', 'package.json', '--token', 'XY'],
      '--token takes hexadecimal digits',
    ],
  ])('%j ends with exit code 2, the reason and the usage', async (args, reason) => {
    const { exitCode, stdout, stderr } = await client(...args);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).toContain('Usage: mte-api-relay client');
  });
});
