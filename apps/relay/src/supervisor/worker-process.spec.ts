import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { WorkerProcess } from './worker-process.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-worker-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Starts a worker that runs a script. */
async function start(script: string): Promise<Worker> {
  const exec = join(folder, 'worker.mjs');
  writeFileSync(exec, script);
  cluster.setupPrimary({ exec, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const worker = cluster.fork();
  await once(worker, 'online');
  return worker;
}

/** Hands a client's connection to a worker, as the primary does. */
async function handConnectionTo({ process: child }: Worker): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const [connection] = (await once(server, 'connection')) as [Socket];
  child.send('a connection', connection);
  child.once('exit', () => {
    client.destroy();
    connection.destroy();
    server.close();
  });
}

const BUSY = 'for (;;);';

describe('a worker', () => {
  it.each([
    ['disconnects', 'process.disconnect();', () => Promise.resolve()],
    [
      'is killed',
      BUSY,
      (worker: Worker) => {
        worker.process.kill('SIGKILL');
        return Promise.resolve();
      },
    ],
    [
      'is killed before it has taken a connection',
      BUSY,
      async (worker: Worker) => {
        await handConnectionTo(worker);
        worker.process.kill('SIGKILL');
      },
    ],
  ])('that %s can send no more messages, and says so once', async (_what, script, end) => {
    const worker = await start(script);
    const supervised = new WorkerProcess(worker, { write: () => undefined });
    let times = 0;
    const disconnected = new Promise<void>((resolve) => {
      supervised.onDisconnect(() => {
        times += 1;
        resolve();
      });
    });
    await end(worker);
    await disconnected;
    await supervised.ended;

    expect(times).toBe(1);
  });
});
