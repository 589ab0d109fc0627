/** One hop of http-proxy, plain HTTP, with connections kept alive. */
import { Agent } from 'node:http';
import process from 'node:process';

import httpProxy from 'http-proxy';

httpProxy
  .createProxyServer({ target: process.env.TARGET, agent: new Agent({ keepAlive: true }) })
  .listen(Number(process.env.PORT), '127.0.0.1');
