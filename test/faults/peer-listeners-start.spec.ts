import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { listen } from '../support/network/listen.js';
import { runRelay, startRelayProcess } from '../support/processes/relay-process.js';
import { childrenOf, twoWorkers, workersUp } from '../support/processes/workers.js';
import { clientWith, createDirectoryFile } from '../support/relays/mounted-directory.js';
import { DEFAULTS, type RelayEnvironment } from '../support/relays/relay.js';
import { newSecret, tokenOf } from '../support/tunnels/directory-tunnel.js';

const NO_VARIABLES = { UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '' };
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const workers = await twoWorkers();
/** A folder for sockets. */
let folder: string;
let socket: string;

beforeEach(async () => {
  folder = forThisTest(await temporaryFolder()).path;
  socket = join(folder, 'api.sock');
});

/** The environment of a relay with a peer that has this listener. Nothing is at the peer. */
const withListener = async (listen: object): Promise<RelayEnvironment> => {
  const file = forThisTest(
    await createDirectoryFile(
      {
        peers: {
          api: {
            origins: ['http://127.0.0.1:9'],
            secret: { file: 'secret' },
            listen: { ...listen, client: 'billing' },
          },
        },
        clients: { billing: clientWith(tokenOf('billing'), 'api') },
      },
      { secret: newSecret() },
    ),
  );
  return { ...DEFAULTS, ...NO_VARIABLES, RELAY_CONFIG_FILE: file.path };
};

/** What a relay writes to standard error that does not start. */
const refusalOf = async (listen: object, more: RelayEnvironment = {}): Promise<string> => {
  const { exitCode, stderr } = await runRelay({ ...(await withListener(listen)), ...more });
  expect(exitCode).toBe(1);
  return stderr;
};

const refusal = (where: string, cause: string): string =>
  `peers.api.listen: ${where} cannot be opened: ${cause}\n`;

/** A server of this process at a socket. */
const listenAt = async (path: string): Promise<void> => {
  const server = createServer((one) => one.destroy());
  server.listen(path);
  await once(server, 'listening');
  forThisTest({
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  });
};

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

/** The status of a response of the relay at the socket: nothing is at the peer. */
const statusAt = async (socketPath: string): Promise<number> =>
  (await request('http://localhost', { socketPath })).status;

describe.each([
  ['a relay', {}],
  ['a relay with workers', workers],
] as const)('%s', (_, environment) => {
  it('does not start if something listens at the address of a listener', async () => {
    const { port } = forThisTest(await listen(createServer()));
    const address = `127.0.0.1:${port}`;
    expect(await refusalOf({ address }, environment)).toBe(
      refusal(address, 'something listens there already'),
    );
  });

  it('does not start if the folder of a socket is missing, or is a file', async () => {
    const missing = join(folder, 'none', 's');
    expect(await refusalOf({ socket: missing }, environment)).toBe(
      refusal(missing, 'its folder does not exist'),
    );
    writeFileSync(join(folder, 'file'), '');
    const below = join(folder, 'file', 's');
    expect(await refusalOf({ socket: below }, environment)).toBe(
      refusal(below, 'its folder is a file'),
    );
  });

  it('does not start, and leaves the file, if there is one at the path of a socket', async () => {
    writeFileSync(socket, 'precious');
    expect(await refusalOf({ socket }, environment)).toBe(
      refusal(socket, 'something is there that is no socket, and it stays'),
    );
    expect(readFileSync(socket, 'utf8')).toBe('precious');
  });

  it('does not start, and leaves the socket, if another process listens there', async () => {
    await listenAt(socket);
    const { ino } = lstatSync(socket);
    expect(await refusalOf({ socket }, environment)).toBe(
      refusal(socket, 'something listens there already'),
    );
    expect(lstatSync(socket).ino).toBe(ino);
  });

  it('replaces the socket of a relay that was killed, and removes its own when it stops', async () => {
    const given = { ...(await withListener({ socket, mode: '0660' })), ...environment };
    const killed = forThisTest(await startRelayProcess(given));
    await ('WORKERS' in environment ? workersUp(killed) : undefined);
    const killedWorkers = childrenOf(killed);
    await killed.kill('SIGKILL');
    expect(lstatSync(socket).isSocket()).toBe(true);
    expect(killedWorkers).toHaveLength('WORKERS' in environment ? 2 : 0);

    const relay = forThisTest(await startRelayProcess(given));
    expect(await statusAt(socket)).toBe(502);
    expect(modeOf(socket)).toBe('660');
    expect((await relay.kill('SIGTERM')).exitCode).toBe(0);
    expect(lstatSync(socket, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('makes what it makes for its own user alone, until it has its mode', async () => {
    const given = { ...(await withListener({ socket })), ...environment };
    const relay = forThisTest(await startRelayProcess(given));
    expect(modeOf(socket)).toBe('600');
    for (const pid of [relay.pid, ...childrenOf(relay)]) {
      const [, umask] = /^Umask:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      expect(umask).toBe('0077');
    }
  });
});

describe.runIf(isRoot)('a relay that root starts', () => {
  it('gives a socket to its owner, with its mode', async () => {
    const owner = `${NOBODY}:${NOBODY}`;
    forThisTest(await startRelayProcess(await withListener({ socket, mode: '0640', owner })));
    const { uid, gid } = lstatSync(socket);
    expect([uid, gid, modeOf(socket)]).toEqual([NOBODY, NOBODY, '640']);
    expect(await statusAt(socket)).toBe(502);
  });
});

describe.runIf(isRoot)('a relay of a user who is not root', () => {
  it('does not start if it may not write the folder of a socket, or give a socket away', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o755 });
    chmodSync(folder, 0o777);
    const of = async (listen: object): Promise<string> => {
      const environment = await withListener(listen);
      chmodSync(dirname(String(environment['RELAY_CONFIG_FILE'])), 0o755);
      const { exitCode, stderr } = await runRelay(environment, { uid: NOBODY });
      expect(exitCode).toBe(1);
      return stderr;
    };
    const inClosed = join(closed, 's');
    expect(await of({ socket: inClosed })).toBe(
      refusal(inClosed, 'this process may not listen there'),
    );
    expect(await of({ socket, owner: '0:0' })).toBe(
      refusal(socket, 'this process may not give the socket to another user or group'),
    );
  });
});
