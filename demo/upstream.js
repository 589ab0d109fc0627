/**
 * The demo's upstream: an API that knows nothing of relays. It tells the demo, over the channel between
 * their processes, exactly what it received.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const MAX_SHOWN_BYTES = 1_024;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const json = (response, status, value, headers = {}) => {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
};

function answer({ method, url }, body, response) {
  const { pathname } = new URL(url, 'http://upstream');
  if (method === 'POST' && pathname === '/api/login') {
    const sessionToken = randomBytes(18).toString('base64url');
    const cookies = [`session=${sessionToken}; HttpOnly`, 'theme=dark'];
    json(response, 200, { signedIn: true, sessionToken }, { 'set-cookie': cookies });
  } else if (method === 'POST' && pathname.startsWith('/api/files/')) {
    json(response, 201, {
      name: pathname.split('/').at(-1),
      bytes: body.length,
      sha256: sha256(body),
    });
  } else {
    json(response, 200, { method, path: url, bytes: body.length });
  }
}

const server = createServer(async (request, response) => {
  try {
    const body = Buffer.concat(await request.toArray());
    process.send({
      kind: 'received',
      requestLine: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      rawHeaders: request.rawHeaders,
      bytes: body.length,
      sha256: sha256(body),
      bodyStart: body.toString('latin1', 0, MAX_SHOWN_BYTES),
    });
    answer(request, body, response);
  } catch {
    // The request broke off: there is nobody to answer.
    response.destroy();
  }
});

process.once('disconnect', () => process.exit(1));
server.listen(0, '127.0.0.1', () =>
  process.send({ kind: 'listening', port: server.address().port }),
);
