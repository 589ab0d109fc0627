/**
 * A page whose script uses WebSockets as pages do, and reports what it saw with a POST to `/report`. It names no relay: it
 * calls the origin that it came from.
 */
export const WEB_SOCKET_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>WebSockets of a page</title>
<script>
const seen = {};

/** Opens a WebSocket, and resolves with all that happened to it, once it is closed. */
const session = (path, onOpen, protocols = []) => new Promise((resolve) => {
  const events = [];
  const socket = new WebSocket('ws://' + location.host + path, protocols);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    events.push(['open', socket.protocol, socket.extensions]);
    onOpen(socket);
  };
  socket.onmessage = ({ data }) => {
    events.push(typeof data === 'string'
      ? ['text', data.length, data.slice(0, 40)]
      : ['binary', data.byteLength, [...new Uint8Array(data.slice(0, 8))]]);
    socket.received?.();
  };
  socket.onerror = () => events.push(['error']);
  socket.onclose = ({ code, reason, wasClean }) => {
    events.push(['close', code, reason, wasClean]);
    resolve(events);
  };
});

/** Sends messages that the API sends back, then closes. */
const talk = (socket) => {
  const messages = ['hello', 'grüße, 世界', new Uint8Array([0, 255, 128, 7]), 'x'.repeat(1 << 20),
    new Uint8Array(1 << 20).fill(9)];
  let answers = 0;
  socket.received = () => {
    answers += 1;
    if (answers === messages.length) {
      socket.close(4000, 'said all');
    }
  };
  messages.forEach((message) => socket.send(message));
};

const run = async () => {
  document.cookie = 'of-page=1';
  seen.talk = await session('/echo?from=page', talk, ['chat', 'v2.chat']);
  for (const code of [1000, 1001, 1008, 1011, 4000]) {
    seen['closed with ' + code] = await session('/close/' + code, () => undefined);
  }
  seen.dropped = await session('/drop', (socket) => socket.send('drop it'));
  seen.refused = await session('/refuse', () => undefined);
  seen.several = await Promise.all([1, 2, 3, 4].map(() => session('/echo', talk)));
  seen.fetched = await (await fetch('/fetched')).text();
};

run()
  .catch((error) => { seen.failed = String(error); })
  .finally(() => fetch('/report', { method: 'POST', body: JSON.stringify(seen) }));
</script>
`;
