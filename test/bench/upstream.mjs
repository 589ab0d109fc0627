/**
 * The API behind every chain: answers /1k with 1 KiB, /bytes/<n> with so many bytes, /events with a stream that stays
 * open, and any request with a body once that has been read.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer } from 'node:http';
import process from 'node:process';

const SMALL = Buffer.alloc(1024, 'x');
const PIECE = Buffer.alloc(65_536, 'x');
const BYTES_PATH = '/bytes/';

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url.startsWith(BYTES_PATH)) {
    void answer(response, Number(request.url.slice(BYTES_PATH.length)));
  } else if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 0\n\n');
  } else {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-length': SMALL.length }).end(SMALL);
    });
  }
}).listen(Number(process.env.PORT), '127.0.0.1');

async function answer(response, bytes) {
  response.writeHead(200, { 'content-length': bytes });
  for (let left = bytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    if (!response.write(piece)) await once(response, 'drain');
  }
  response.end();
}
