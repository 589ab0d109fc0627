import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { loadConfig, type RelayConfig } from '@relay/config';
import { RelayName } from '@relay/signature';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import {
  clientWith,
  createDirectoryFile,
  directoryText,
  type DirectoryContent,
} from '../../../../test/support/relays/mounted-directory.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { DirectoryService } from './directory.service.js';
import { DirectoryWatch } from './directory-watch.js';

const SECRET = 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE';
const OTHER_SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';

/** What happens while the watch waits for content to settle, and whenever it asks where the file is. */
const meanwhile = vi.hoisted(() => ({
  settling: (): void => undefined,
  asking: (): void => undefined,
}));
vi.mock('node:timers/promises', () => ({
  setTimeout: () => {
    meanwhile.settling();
    return Promise.resolve();
  },
}));

const withClients = (...names: readonly string[]): DirectoryContent => ({
  peers: { payments: { origins: ['https://relay.example'], secret: { file: 'payments' } } },
  clients: Object.fromEntries(names.map((name) => [name, clientWith(name, 'payments')])),
});

/** A watch that checks when it is told to, and what comes of it. */
const startWatch = async () => {
  const file = forThisTest(await createDirectoryFile(withClients('billing'), { payments: SECRET }));
  const { config } = loadConfig({ REDIS_URL: 'memory://', RELAY_CONFIG_FILE: file.path });
  const observed = Object.create(config, {
    relayConfigFile: {
      get: () => {
        meanwhile.asking();
        return file.path;
      },
    },
  }) as RelayConfig;
  const directory = await DirectoryService.begin(
    config.directory,
    new RelayName('relay-of-the-test'),
  );
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = new RelayLog('info', {
    write: (line: string) => {
      lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
    },
  });
  const watch = new DirectoryWatch(observed, directory, log, new RelayMetrics());
  await watch.check();
  return {
    file,
    directory,
    lines,
    watch,
    clients: () => directory.current.entries.clients.map(({ name }) => name),
    secret: () => directory.current.entries.peers[0]?.secret,
    reasons: () => lines.map(({ reason }) => reason),
  };
};

beforeEach(() => {
  meanwhile.settling = () => undefined;
  meanwhile.asking = () => undefined;
});

describe('the watch of the directory file', () => {
  it.each(['is overwritten', 'is replaced through a symbolic link'])(
    'takes over a file that %s',
    async (how) => {
      const { file, watch, clients, lines } = await startWatch();
      const next = withClients('billing', 'shipping');
      if (how === 'is overwritten') {
        file.write(next);
      } else {
        file.swap(next, { payments: SECRET });
      }
      await watch.check();
      expect(clients()).toEqual(['billing', 'shipping']);
      expect(lines).toEqual([
        expect.objectContaining({
          msg: 'the directory was replaced',
          directory: { peers: 1, clients: 2, tenants: 0 },
        }),
      ]);
    },
  );

  it('takes over a secret file whose content changes, with the same length', async () => {
    const { file, watch, secret } = await startWatch();
    await watch.check();
    file.writeNamed('payments', OTHER_SECRET);
    await watch.check();
    expect(secret()).toBe(OTHER_SECRET);
  });

  it('leaves a file alone that changes again before it has settled, although it is valid in between', async () => {
    const { file, watch, clients, lines } = await startWatch();
    file.write(withClients());
    meanwhile.settling = () => {
      file.write(withClients('billing', 'shipping'));
    };
    await watch.check();
    expect(clients()).toEqual(['billing']);
    expect(lines).toEqual([]);

    await watch.check();
    expect(clients()).toEqual(['billing', 'shipping']);
  });

  it('leaves a file alone that changes while it is read', async () => {
    const { file, watch, clients } = await startWatch();
    await watch.check();
    file.write(withClients('billing', 'shipping'));
    let hasSettled = false;
    meanwhile.settling = () => {
      hasSettled = true;
    };
    meanwhile.asking = () => {
      if (hasSettled) {
        file.write(withClients());
      }
    };
    await watch.check();
    expect(clients()).toEqual(['billing']);
  });

  it('reads nothing while nothing changes, also of a file that it has refused', async () => {
    const { file, watch } = await startWatch();
    const readings = async (): Promise<number> => {
      let count = 0;
      meanwhile.settling = () => {
        count += 1;
      };
      await watch.check();
      await watch.check();
      await watch.check();
      return count;
    };
    await readings();
    expect(await readings()).toBe(0);
    file.write({ ...withClients('billing'), tenants: { 'no origin': {} } });
    await readings();
    expect(watch.state).toBe('refused');
    expect(await readings()).toBe(0);
  });

  it('reports what it refuses once, and takes the file over as soon as a file that it names is right', async () => {
    const { file, watch, reasons, secret } = await startWatch();
    file.writeNamed('payments', 'short');
    for (let check = 0; check < 4; check += 1) {
      await watch.check();
    }
    expect(secret()).toBe(SECRET);
    expect(reasons()).toEqual([
      expect.stringMatching(/^relay\.yaml:\d+: peers\.payments\.secret must be at least/),
    ]);
    file.writeNamed('payments', OTHER_SECRET);
    await watch.check();
    expect(watch.state).toBe('in use');
    expect(secret()).toBe(OTHER_SECRET);
  });

  it.each([
    ['is cut off', (text: string) => text.slice(0, text.length / 2)],
    ['is empty', () => ''],
    ['is larger than a directory may be', (text: string) => text.padEnd(1_100_000)],
  ])('keeps what it has if the file %s', async (_how, damage) => {
    const { file, watch, clients, reasons } = await startWatch();
    file.write(damage(directoryText(withClients('billing', 'shipping'))));
    await watch.check();
    expect(watch.state).toBe('refused');
    expect(clients()).toEqual(['billing']);
    expect(reasons().length).toBeGreaterThan(0);
    file.write(withClients('billing'));
    await watch.check();
    expect(watch.state).toBe('in use');
  });

  it.each([
    ['a pipe, which would never end', (path: string) => execFileSync('mkfifo', [path])],
    [
      'larger than memory',
      (path: string) => {
        writeFileSync(path, '');
        truncateSync(path, 2 ** 40);
      },
    ],
  ])('goes on if a file is named that is %s', async (_what, make) => {
    const { file, watch, clients, reasons } = await startWatch();
    const strange = join(dirname(file.path), 'strange');
    make(strange);
    const { peers } = withClients();
    file.write({ peers: { ...peers, other: { secret: { file: 'strange' } } }, clients: {} });
    await watch.check();
    await watch.check();
    expect(reasons()).toEqual([
      expect.stringContaining('peers.other.secret.file must name a file'),
    ]);
    file.write(withClients('shipping'));
    await watch.check();
    expect(clients()).toEqual(['shipping']);
  });

  it('keeps what it has if the file is away', async () => {
    const { file, watch, clients, reasons } = await startWatch();
    await file.close();
    await watch.check();
    expect(clients()).toEqual(['billing']);
    expect(reasons()).toEqual(['RELAY_CONFIG_FILE cannot be read (ENOENT)']);
  });
});
