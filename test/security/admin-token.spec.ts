import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { startAdminRelay, type AdminRelay } from '../support/relays/status.js';

const TOKEN = 'admin-token:of-the-tests';
const BEHIND_TOKEN = ['/', '/summary', '/status.json', '/events', '/metrics', '/nothing'];

const shared = sharedResources();
let relay: AdminRelay;

beforeAll(async () => {
  const folder = shared(await temporaryFolder());
  const page = join(folder.path, 'page');
  await mkdir(join(page, 'assets'), { recursive: true });
  await writeFile(join(page, 'index.html'), '<!doctype html>');
  await writeFile(join(page, '.secret'), 'canary');
  await writeFile(join(page, 'assets', 'index-B3x9.js'), 'export {};');
  await writeFile(join(folder.path, 'secret'), 'canary');
  relay = shared(await startAdminRelay({ ADMIN_TOKEN: TOKEN }, page));
});

const basic = (credentials: string): string =>
  `Basic ${Buffer.from(credentials).toString('base64')}`;

const ask = (path: string, authorization?: string, method = 'HEAD') =>
  request(relay.admin, {
    path,
    method,
    headers: authorization === undefined ? {} : { authorization },
  });

/** The level of warnings in the log. */
const WARN = 40;

describe('#114 whoever reaches the admin listener', () => {
  it.each(BEHIND_TOKEN)('is asked for the password of %s', async (path) => {
    const { status, headers, body } = await ask(path, undefined, 'GET');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Basic realm="relay", charset="UTF-8"');
    expect(body.toString()).not.toContain(TOKEN);
  });

  it.each([
    basic('admin:wrong'),
    basic(`admin:${TOKEN} `),
    basic(`admin:${TOKEN.toUpperCase()}`),
    basic(`admin:${TOKEN.slice(0, -1)}`),
    basic(`admin:`),
    basic(TOKEN.replace(':', '')),
    basic(''),
    `Bearer ${TOKEN}`,
    `Basic ${TOKEN}`,
    `Basic`,
    TOKEN,
  ])('gets nothing with the credentials %s', async (authorization) => {
    expect((await ask('/status.json', authorization)).status).toBe(401);
  });

  it.each(['admin', '', 'prometheus', 'ünï'])(
    'gets in with the token and the user %j',
    async (user) => {
      for (const path of ['/', '/summary', '/status.json', '/events', '/metrics']) {
        expect((await ask(path, basic(`${user}:${TOKEN}`))).status).toBe(200);
      }
      expect(
        (await ask('/status.json', basic(`${user}:${TOKEN}`).replace('Basic', 'basic'))).status,
      ).toBe(200);
    },
  );

  it.each(['/health/live', '/health/ready'])('needs no password for %s', async (path) => {
    expect((await ask(path)).status).toBe(200);
  });

  it.each([
    '/../secret',
    '/assets/../../secret',
    '/assets/%2e%2e/%2e%2e/secret',
    '/..%2fsecret',
    '/%2e%2e%5csecret',
    '/.secret',
    '//secret',
    '/assets//../../secret',
    '/assets/',
    '/%00',
  ])('reads no file at %s', async (path) => {
    const { status, body } = await ask(path, basic(`:${TOKEN}`), 'GET');
    expect([400, 403, 404]).toContain(status);
    expect(body.toString()).not.toContain('canary');
  });

  it('may keep only files whose names change with their content', async () => {
    const of = async (path: string) =>
      (await ask(path, basic(`:${TOKEN}`))).headers['cache-control'];
    expect(await of('/assets/index-B3x9.js')).toBe('private, max-age=31536000, immutable');
    expect(await of('/')).toBe('no-store');
    expect(await of('/index.html')).toBe('no-store');
    expect(await of('/assets/index-Other.js')).toBe('no-store');
  });

  it('leaves a few lines of where passwords were guessed', async () => {
    const guesses = () =>
      relay.log.items.filter(
        ({ level, reason }) => level === WARN && reason === 'the password is not ADMIN_TOKEN',
      );
    for (let guess = 0; guess < 40; guess += 1) {
      await ask('/status.json', basic(`admin:guess-${guess}`));
    }
    expect(guesses().length).toBeGreaterThan(0);
    expect(guesses().length).toBeLessThanOrEqual(11);
    expect(guesses()[0]?.['address']).toBe('127.0.0.1');
    // A browser asks without a password first.
    const before = relay.log.items.length;
    await ask('/status.json');
    const lines = relay.log.items.slice(before);
    expect(lines.some(({ level }) => level === WARN)).toBe(false);
  });

  it('leaves no password in the log', () => {
    const text = JSON.stringify(relay.log.items);
    expect(text).toContain('the admin listener refused a request');
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(Buffer.from(`admin:wrong`).toString('base64'));
  });
});
