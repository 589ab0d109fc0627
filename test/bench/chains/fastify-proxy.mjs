/** One hop of what a Node.js user would build: @fastify/http-proxy over plain HTTP. */
import process from 'node:process';

import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const { PORT, TARGET } = process.env;
if (TARGET === undefined) {
  throw new Error('TARGET is not set');
}

const app = Fastify({ keepAliveTimeout: 600_000 });
await app.register(proxy, {
  upstream: TARGET,
  undici: { connections: 256, pipelining: 1 },
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
