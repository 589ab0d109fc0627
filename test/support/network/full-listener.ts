import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A port that neither accepts nor refuses connections. */
export interface FullListener {
  readonly port: number;
  close(): Promise<void>;
}

/** How many unaccepted connections the system queues: one more than the backlog. */
const QUEUED = 2;
const LISTEN = `require('node:net').createServer().listen(
  { port: 0, host: '127.0.0.1', backlog: ${QUEUED - 1} },
  function () { console.log(this.address().port) })`;

/** Starts a process that listens, suspends it and fills its queue: the system then drops new connection attempts. */
export async function startFullListener(): Promise<FullListener> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const queued: Socket[] = [];
  while (queued.length < QUEUED) {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    queued.push(socket);
  }
  return {
    port,
    close: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      process.off('exit', killOnExit);
      for (const socket of queued) {
        socket.destroy();
      }
      await closed;
    },
  };
}
