/** One hop of what a Node.js user would build: @fastify/http-proxy, plain HTTP. */
import process from 'node:process';

import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const app = Fastify({ keepAliveTimeout: 600_000 });
await app.register(proxy, {
  upstream: process.env.TARGET,
  undici: { connections: 256, pipelining: 1 },
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
