import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A real WSGI server. It responds with the variables that it hands to its application for the fields of the request. */
export interface WsgiServer {
  readonly url: string;
  close(): Promise<void>;
}

const PROGRAM = `
import json
from wsgiref.simple_server import WSGIRequestHandler, make_server

class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    fields = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    return [json.dumps(fields).encode()]

server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
`;

/** Starts the WSGI server of Python's standard library. Requires `hasPython()`. */
export async function startWsgiServer(): Promise<WsgiServer> {
  const child = spawn('python3', ['-c', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const closed = once(child, 'close');
  const port = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line as string),
    closed.then(() => {
      throw new Error('the WSGI server ended before it listened');
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      killOnExit();
      process.off('exit', killOnExit);
      await closed;
    },
  };
}
