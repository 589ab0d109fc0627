/**
 * The API behind every chain: answers /1k with 1 KiB, /bulk with 64 MiB, /events with a stream that stays open, and any
 * request with a body once that has been read.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer } from 'node:http';
import process from 'node:process';

const SMALL = Buffer.alloc(1024, 'x');
const PIECE = Buffer.alloc(65_536, 'x');
const BULK_BYTES = 64 * 1024 * 1024;

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url === '/bulk' && request.method === 'GET') {
    void bulk(response);
  } else if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 0\n\n');
  } else {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-length': SMALL.length }).end(SMALL);
    });
  }
}).listen(Number(process.env.PORT), '127.0.0.1');

async function bulk(response) {
  response.writeHead(200, { 'content-length': BULK_BYTES });
  for (let sent = 0; sent < BULK_BYTES; sent += PIECE.length) {
    if (!response.write(PIECE)) await once(response, 'drain');
  }
  response.end();
}
