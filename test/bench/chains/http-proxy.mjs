/** One hop of http-proxy, plain HTTP, with connections kept alive. */
import { Agent, createServer } from 'node:http';
import process from 'node:process';

import httpProxy from 'http-proxy';

const proxy = httpProxy.createProxyServer({
  target: process.env.TARGET,
  agent: new Agent({ keepAlive: true }),
});
createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  proxy.web(request, response);
}).listen(Number(process.env.PORT), '127.0.0.1');
