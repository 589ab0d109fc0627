/**
 * The API behind every chain. It responds to /1k with 1 KiB, to /bytes/<n> with that number of bytes, to /events with a
 * stream that stays open, and to any request with a body as soon as the body has been read.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer } from 'node:http';
import process from 'node:process';

/** @import { ServerResponse } from 'node:http' */

const SMALL = Buffer.alloc(1024, 'x');
const CHUNK = Buffer.alloc(65_536, 'x');
const BYTES_PATH = '/bytes/';

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
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
}).listen(Number(process.env.PORT), '127.0.0.1');

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
