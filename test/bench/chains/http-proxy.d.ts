/** What the benchmark uses of http-proxy, which is published without types. */
declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
  import type { Duplex } from 'node:stream';

  interface Proxy {
    web(request: IncomingMessage, response: ServerResponse): void;
    ws(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  }

  const httpProxy: {
    createProxyServer(options: { readonly target: string; readonly agent: Agent }): Proxy;
  };
  export default httpProxy;
}
