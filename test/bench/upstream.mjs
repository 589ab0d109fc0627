/**
 * The API behind every chain. It responds to /1k with 1 KiB, to /bytes/<n> with that number of bytes, to /events with a
 * stream that stays open, and to any request with a body as soon as the body has been read. On a WebSocket it sends every
 * message back; on /bytes/<n> it sends that number of bytes instead, and on /take/<n> one message once it has received them.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer } from 'node:http';
import process from 'node:process';

import { WebSocketServer } from 'ws';

import { sendMessages } from './load/messages.mjs';

/** @import { ServerResponse } from 'node:http' */
/** @import { WebSocket } from 'ws' */

const SMALL = Buffer.alloc(1024, 'x');
const CHUNK = Buffer.alloc(65_536, 'x');
const BYTES_PATH = '/bytes/';
const TAKE_PATH = '/take/';

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const { url = '/' } = request;
  if (url.startsWith(BYTES_PATH)) {
    void sendBytes(response, Number(url.slice(BYTES_PATH.length)));
  } else if (url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 0\n\n');
  } else {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-length': SMALL.length }).end(SMALL);
    });
  }
});
new WebSocketServer({ server, perMessageDeflate: false }).on(
  'connection',
  (socket, { url = '/' }) => {
    if (url.startsWith(BYTES_PATH)) {
      void sendMessages(socket, Number(url.slice(BYTES_PATH.length)));
    } else if (url.startsWith(TAKE_PATH)) {
      takeMessages(socket, Number(url.slice(TAKE_PATH.length)));
    } else {
      socket.on('message', (message) => socket.send(message));
    }
  },
);
server.listen(Number(process.env.PORT), '127.0.0.1');

/**
 * @param {ServerResponse} response
 * @param {number} bytes
 */
async function sendBytes(response, bytes) {
  response.writeHead(200, { 'content-length': bytes });
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
    if (!response.write(chunk)) {
      await once(response, 'drain');
    }
  }
  response.end();
}

/**
 * @param {WebSocket} socket
 * @param {number} bytes
 */
function takeMessages(socket, bytes) {
  let left = bytes;
  socket.on('message', (/** @type {Buffer} */ message) => {
    left -= message.length;
    if (left === 0) {
      socket.send(SMALL);
    }
  });
}
