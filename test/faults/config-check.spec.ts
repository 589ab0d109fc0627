import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const FILE = `peers:
  shop: { secret: { file: shop } }
clients:
  billing: { tokens: [{ sha256: "${'ab'.repeat(32)}" }] }
`;

const check = (...args: string[]) =>
  new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const { PATH } = process.env;
    const options = { env: { PATH } };
    execFile(
      process.execPath,
      ['bin/main.js', 'config', 'check', ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });

const write = async (files: Readonly<Record<string, string>>) => {
  const { path } = forThisTest(await temporaryFolder());
  writeFileSync(join(path, 'shop'), SECRET);
  return Object.entries(files).map(([name, yaml]) => {
    writeFileSync(join(path, name), yaml);
    return join(path, name);
  });
};

describe('npm run config:check', () => {
  it('prints a summary of a valid file, and what would change for a relay with another', async () => {
    const [file = '', old = ''] = await write({
      'relay.yaml': FILE.replace('billing', 'invoices').replace(
        'shop }',
        'shop }, transport: message',
      ),
      'old.yaml': FILE,
    });
    expect(await check(file, '--against', old)).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `peers: shop
clients: invoices
tenants: none
What would change:
  peer shop: changed transport
  client billing: removed
  client invoices: added
`,
    });
    expect((await check(file, '--against', file)).stdout).toContain('Nothing would change.\n');
  });

  it('prints the hosts and listeners of peers, as the relay takes them', async () => {
    const [, file = ''] = await write({
      pay: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
      'relay.yaml': `peers:
  shop:
    secret: { file: shop }
    origins: [https://shop.example]
    hosts: [Shop.Example, "*.shop.example:8080"]
    listen: { address: "[::]:9101", exposed: true, client: billing }
  pay:
    secret: { file: pay }
    origins: [https://pay.example]
    listen: { socket: pay.sock, mode: "0660", owner: "1000:1001", client: billing }
${FILE.slice(FILE.indexOf('clients:'))}`,
    });
    expect(await check(file)).toEqual({
      exitCode: 0,
      stderr:
        'warning: relay.yaml:6: peers.shop.listen.exposed is true: whoever reaches the address can call the peer as the client billing, without a token\n',
      stdout: `peers: shop, pay
clients: billing
tenants: none
hosts of shop: shop.example:80, *.shop.example:8080
listener of shop: [::]:9101, for the client billing
listener of pay: ${join(dirname(file), 'pay.sock')} (mode 0660 of 1000:1001), for the client billing
`,
    });
  });

  it('warns of a token that has expired, as the relay does', async () => {
    const [file = ''] = await write({
      'relay.yaml': FILE.replace('" }', '", expires: 2020-01-01 }'),
    });
    const { exitCode, stderr } = await check(file);
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'warning: a token of the client billing has expired: abababab, 2020-01-01T00:00:00.000Z\n',
    );
  });

  it('ends with 1 and the lines of what is wrong', async () => {
    const [file = ''] = await write({ 'relay.yaml': FILE.replace('secret:', 'secert:') });
    expect(await check(file)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `relay.yaml:2: peers.shop.secert is no key: did you mean secret?
relay.yaml:2: peers.shop.secret is required
${file} is not valid: 2 problem(s)
`,
    });
  });

  it('ends with 2 without exactly one file', async () => {
    expect(await check()).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await check('a', 'b')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
