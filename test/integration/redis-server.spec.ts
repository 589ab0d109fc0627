import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../support/redis/redis-server.js';

describe('the redis-server that the tests run against', () => {
  let server: RedisServer;
  let client: Redis;

  afterEach(async () => {
    client.disconnect();
    await server.stop();
  });

  async function start(...options: Parameters<typeof startRedisServer>): Promise<void> {
    server = await startRedisServer(...options);
    client = new Redis(server.url);
  }

  it('answers PING, and INFO replication with a replication id', async () => {
    await start();

    expect(await client.ping()).toBe('PONG');
    expect(await client.info('replication')).toMatch(/^master_replid:[0-9a-f]{40}\r$/m);
  });

  it('is gone, with its files, once it is stopped', async () => {
    await start();
    client.disconnect();
    await server.stop();

    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(existsSync(server.dir)).toBe(false);
  });

  it('comes back on its port with its data after being killed', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    await start({ args });
    const first = server;
    await client.set('kept', 'yes');
    client.disconnect();
    await first.kill();

    try {
      await start({ port: first.port, dir: first.dir, args });
      expect(await client.get('kept')).toBe('yes');
      client.disconnect();
      await server.stop();
    } finally {
      await first.stop();
    }
  });

  it('is rejected with the reason if redis-server does not start', async () => {
    await start();

    await expect(startRedisServer({ port: server.port })).rejects.toThrow('Address already in use');
  });
});
