import { createServer, type Socket } from 'node:net';

import { expect, it } from 'vitest';

import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { startConnectProxy } from '../../../../test/support/network/connect-proxy.js';
import { listen } from '../../../../test/support/network/listen.js';
import { proxiedConnector } from './proxied-connector.js';
import { ProxyRoute } from './proxy-route.js';

const connected = (proxyUrl: string, protocol: string, port: number, timeoutMs: number) =>
  new Promise<Socket>((resolve, reject) => {
    const connect = proxiedConnector(new ProxyRoute(proxyUrl), timeoutMs, undefined);
    const target = { hostname: '127.0.0.1', protocol, port: String(port) };
    connect(target, (...[error, socket]) => {
      if (error === null) {
        resolve(socket);
      } else {
        reject(error);
      }
    });
  });

it('one time limit covers the proxy and TLS, and the connection to the proxy ends with it', async () => {
  const silent = forThisTest(await listen(createServer()));
  // Most of the limit is gone when the proxy responds.
  const proxy = forThisTest(
    await startConnectProxy({
      instead: (client) => {
        setTimeout(() => client.write('HTTP/1.1 200 OK\r\n\r\n'), 1_200);
      },
    }),
  );
  const startedAtMs = performance.now();

  await expect(connected(proxy.url, 'https:', silent.port, 2_000)).rejects.toMatchObject({
    code: 'UND_ERR_CONNECT_TIMEOUT',
  });

  // Two limits, one after the other, would end after 3,200 ms.
  expect(performance.now() - startedAtMs).toBeLessThan(3_100);
  await expect.poll(() => proxy.open).toBe(0);
});

it('a connection outlasts the time limit for making it', async () => {
  const echo = forThisTest(await listen(createServer((socket) => socket.pipe(socket))));
  const proxy = forThisTest(await startConnectProxy());
  const limitMs = 1_000;

  const socket = await connected(proxy.url, 'http:', echo.port, limitMs);
  await new Promise((resolve) => setTimeout(resolve, limitMs + 200));

  const received = new Promise((resolve) => socket.once('data', resolve));
  socket.write('still there');
  expect(String(await received)).toBe('still there');
  socket.destroy();
});

it('a failure of TLS with the peer ends the connection to the proxy', async () => {
  const plain = forThisTest(await listen(createServer((socket) => socket.end('220 no TLS\r\n'))));
  const proxy = forThisTest(await startConnectProxy());

  await expect(connected(proxy.url, 'https:', plain.port, 20_000)).rejects.toThrow();

  await expect.poll(() => proxy.open).toBe(0);
});
