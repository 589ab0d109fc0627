import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that responds to the head of a request, and closes the connection with the rest of the request unread. */
export interface ClosingServer {
  readonly url: string;
  close(): Promise<void>;
}

const PROGRAM = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.pause().write(process.argv[1], () => socket.destroy()));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

/**
 * Starts it in a process of its own: in this one it would only run while no relay does.
 *
 * @param response - the bytes of each response
 */
export async function startClosingServer(response: string): Promise<ClosingServer> {
  const child = spawn(process.execPath, ['-e', PROGRAM, response], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const closed = once(child, 'close');
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}`,
    close: async () => {
      killOnExit();
      process.off('exit', killOnExit);
      await closed;
    },
  };
}
