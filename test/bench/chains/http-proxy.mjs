/** One hop of http-proxy over plain HTTP, with persistent connections and with WebSockets. */
import { Agent, createServer } from 'node:http';
import process from 'node:process';

import httpProxy from 'http-proxy';

const { PORT, TARGET } = process.env;
if (TARGET === undefined) {
  throw new Error('TARGET is not set');
}

const proxy = httpProxy.createProxyServer({
  target: TARGET,
  agent: new Agent({ keepAlive: true }),
});
createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  proxy.web(request, response);
})
  .on('upgrade', (request, socket, head) => {
    proxy.ws(request, socket, head);
  })
  .listen(Number(PORT), '127.0.0.1');
