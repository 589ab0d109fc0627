/** A client that says three things to the API through the tunnel, and prints what it hears. */
import { once } from 'node:events';
import process from 'node:process';
import { WebSocket } from 'ws';

const { RELAY, PEER, OUTBOUND_TOKEN } = process.env;
const headers = { 'x-mte-outbound-token': OUTBOUND_TOKEN, 'x-mte-upstream': PEER };
const socket = new WebSocket(`${RELAY}/chat`, { headers });
await once(socket, 'open');
for (const word of ['hello', 'how are you?', 'goodbye']) {
  socket.send(word);
  const [heard] = await once(socket, 'message');
  process.stdout.write(`${heard}\n`);
}
socket.close();
