import { createHash, randomBytes } from 'node:crypto';

/** The 101 of whoever does not hold the secret. RFC 6455 section 4.2.2. @param opening - its head */
export function forgedAcceptance(opening: Buffer): Buffer {
  const [, key = ''] = /^sec-websocket-key: (.*)\r$/im.exec(opening.toString('latin1')) ?? [];
  const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1')
    .update(key + guid)
    .digest('base64');
  return Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      `sec-websocket-accept: ${accept}\r\nsec-websocket-protocol: mte-relay.1\r\n` +
      `x-mte-relay: 1.${randomBytes(16).toString('base64url')}\r\n\r\n`,
  );
}
