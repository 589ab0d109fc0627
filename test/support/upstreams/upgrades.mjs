// An API in a process of its own, to be killed. It prints its port. A WebSocket receives a message every 10 ms; a raw connection
// receives octets, and nothing that is sent to it is ever read.
import { createServer } from 'node:http';
import process from 'node:process';
import { setInterval } from 'node:timers';

import { WebSocketServer } from 'ws';

const accepting = new WebSocketServer({ noServer: true });
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => undefined);
  if (request.headers.upgrade === 'websocket') {
    accepting.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined);
      setInterval(() => webSocket.send('tick'), 10);
    });
    return;
  }
  socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n');
  setInterval(() => socket.write('tick'), 10);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${server.address().port}\n`);
});
