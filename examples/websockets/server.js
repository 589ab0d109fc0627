/** An API that sends back what it is told, and knows nothing about relays. */
import process from 'node:process';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: Number(process.env.PORT) });
server.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(`you said: ${data}`));
});

// The kernel ignores signals to process 1 of a container unless the process handles them.
process.once('SIGTERM', () => process.exit(0));
