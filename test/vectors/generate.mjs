/**
 * Computes protocol-1-more.json from the constants below, according to docs/protocol.md. It imports no code of the
 * product: only node:crypto, and a different implementation of X-Wing than the product uses.
 *
 *     node test/vectors/generate.mjs > test/vectors/protocol-1-more.json
 */
import { Buffer } from 'node:buffer';
import { createCipheriv, createHash, createHmac, scryptSync } from 'node:crypto';
import process from 'node:process';

import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js';

const bytes = (value) =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
const repeated = (octet, length) => Buffer.alloc(length, octet);
const b64 = (value) => Buffer.from(value).toString('base64url');
const sha256 = (value) => createHash('sha256').update(value).digest();
const hmac = (key, ...parts) =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
const uint = (value, length) => {
  const target = Buffer.alloc(length);
  target.writeUIntBE(value, Math.max(0, length - 6), Math.min(length, 6));
  return target;
};
const lp = (...parts) =>
  Buffer.concat(parts.flatMap((part) => [uint(bytes(part).length, 4), bytes(part)]));
const expand = (key, ...info) => hmac(key, ...info, Buffer.of(1));

// Section 1: the keys of a secret.
function secretKeys(secret) {
  const root = scryptSync(bytes(secret), 'mte-relay/1 root', 32, {
    N: 2 ** 15,
    r: 8,
    p: 1,
    maxmem: 64 * 1024 * 1024,
  });
  const derive = (label) => expand(root, `mte-relay/1 ${label}`);
  return {
    kid: derive('kid').subarray(0, 4).toString('hex'),
    k_sender: derive('sender'),
    k_error: derive('error'),
    k_store: derive('store'),
    psk: derive('psk'),
  };
}

// Section 2: signatures.
const senderMac = (keys, purpose, identity, relayHeader, body) =>
  b64(
    hmac(
      keys.k_sender,
      lp('mte-relay/1 sender', purpose, identity, relayHeader, body === '' ? '' : sha256(body)),
    ),
  );

function errorHeader(keys, clientIdHeader, status, p, unixMs) {
  const signed = [status, p, unixMs].map(String);
  const mac = b64(hmac(keys.k_error, lp('mte-relay/1 error', clientIdHeader, ...signed)));
  return ['1', 'error', ...signed, mac].join('.');
}

// Section 4: HPKE mode_psk, export-only, RFC 9180 sections 4 and 5.
function hpkeExport(sharedSecret, info, psk, pskId, label) {
  const suite = ['HPKE-v1', 'HPKE', Buffer.from('647a0001ffff', 'hex')];
  const labeledExtract = (salt, name, input) => hmac(salt, ...suite, name, input);
  const labeledExpand = (key, name, context) => expand(key, uint(32, 2), ...suite, name, context);
  const context = Buffer.concat([
    Buffer.of(1),
    labeledExtract('', 'psk_id_hash', pskId),
    labeledExtract('', 'info_hash', info),
  ]);
  const secret = labeledExtract(sharedSecret, 'secret', psk);
  return labeledExpand(labeledExpand(secret, 'exp', context), 'sec', label);
}

// Section 6: heads (RFC 9292) and records.
function varint(value) {
  if (value < 2 ** 6) {return uint(value, 1);}
  if (value < 2 ** 14) {return uint(value + 0x4000, 2);}
  return uint(value + 0x8000_0000, 4);
}
const string = (text) => Buffer.concat([varint(text.length), Buffer.from(text, 'latin1')]);
const section = (fields) => {
  const lines = Buffer.concat(fields.map(string));
  return Buffer.concat([varint(lines.length), lines]);
};
const requestHead = ({ method, scheme, path, fields }) =>
  Buffer.concat([varint(0), ...[method, scheme, '', path].map(string), section(fields)]);
const responseHead = ({ status, fields }) =>
  Buffer.concat([varint(1), varint(status), section(fields)]);

function sealRecords(key, head, body) {
  const contents = [head, ...body];
  return contents.map((content, index) => {
    const isLast = index === contents.length - 1;
    const typed = Buffer.concat([content, Buffer.of(index === 0 ? 1 : 2)]);
    const padding = index === 0 ? (256 - (typed.length % 256)) % 256 : 0;
    const plaintext = Buffer.concat([typed, Buffer.alloc(padding)]);
    const header = uint(plaintext.length + 16 + (isLast ? 2 ** 31 : 0), 4);
    const nonce = Buffer.concat([Buffer.alloc(7), uint(index, 4), Buffer.of(isLast ? 1 : 0)]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([header, sealed, cipher.getAuthTag()]);
  });
}

// The constants of protocol-1.json, so both files describe the same session.
const secret = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const altSecret = 'Zr8cQ1vN4mT7xKfL0sHbWd3yGpJ6uEaR';
const clientId = 'relay-a-1';
const unixMs = 1767225600000;
const audience = 'https://b.example';

const keys = secretKeys(secret);
const altKeys = secretKeys(altSecret);
const identity = `${keys.kid}.${clientId}`;

const { publicKey } = xWing.keygen(repeated(7, 32));
const pairBody = Buffer.concat([
  Buffer.of(1, 1),
  uint(unixMs, 8),
  uint(audience.length, 1),
  bytes(audience),
  publicKey,
]);
const pairHeader = `${identity}.${senderMac(keys, 'pair', identity, '1', pairBody)}`;
const th = sha256(lp('mte-relay/1 pair', pairHeader, pairBody));
const sid = b64(th.subarray(0, 16));
const { cipherText, sharedSecret } = xWing.encapsulate(publicKey, repeated(9, 64));
const derive = (label) => hpkeExport(sharedSecret, th, keys.psk, identity, label);
const session = { k_c2s: derive('c2s'), k_s2c: derive('s2c') };
const confirmed = Buffer.concat([Buffer.of(1, 1), uint(3600, 4), uint(2 ** 20 - 1, 4), cipherText]);
const confirm = hmac(derive('confirm'), lp('mte-relay/1 confirm', th, confirmed));

const altIdentity = `${altKeys.kid}.${clientId}`;
const altPairHeader = `${altIdentity}.${senderMac(altKeys, 'pair', altIdentity, '1', pairBody)}`;

const tunnelHeader = (seq, type, salt) => `1.${sid}.${seq}.${type}.${b64(repeated(salt, 16))}`;
const requestKey = (header) => expand(session.k_c2s, `mte-relay/1 request\0${header}`);
const responseKey = (request, response) =>
  expand(session.k_s2c, `mte-relay/1 response\0${request}\0${response}`);
const signed = (header) => `${identity}.${senderMac(keys, 'tunnel', identity, header, '')}`;

function request(header, head, body) {
  const key = requestKey(header);
  const headBytes = requestHead(head);
  return {
    relay_header: header,
    client_id_header: signed(header),
    key,
    head,
    head_bytes: headBytes,
    body,
    records: sealRecords(key, headBytes, body),
  };
}

function response(requestHeader, salt, head, body) {
  const header = `1.${b64(repeated(salt, 16))}`;
  const key = responseKey(requestHeader, header);
  const headBytes = responseHead(head);
  return {
    request_relay_header: requestHeader,
    relay_header: header,
    key,
    head,
    head_bytes: headBytes,
    body,
    records: sealRecords(key, headBytes, body),
  };
}

function storeBlob() {
  const epoch = '8f2c1d4e5b6a79808f2c1d4e5b6a79808f2c1d4e';
  const nonce = repeated(0x0b, 12);
  const expiresAtMs = unixMs + 3_600_000;
  const cipher = createCipheriv('aes-256-gcm', keys.k_store, nonce).setAAD(
    lp('mte-relay/1 store', sid, identity, epoch),
  );
  const sealed = Buffer.concat([
    cipher.update(Buffer.concat([session.k_c2s, session.k_s2c, uint(expiresAtMs, 8)])),
    cipher.final(),
  ]);
  return {
    epoch,
    nonce,
    expires_at_ms: expiresAtMs,
    blob: Buffer.concat([
      bytes(epoch),
      Buffer.from(keys.kid, 'hex'),
      nonce,
      sealed,
      cipher.getAuthTag(),
    ]),
  };
}

const order = tunnelHeader(2, 'mke', 3);
const upload = tunnelHeader(262143, 'mte', 4);
const events = tunnelHeader(1048575, 'mke', 5);

const vectors = {
  note: 'Known answers for docs/protocol.md, made by generate.mjs. Octets are hexadecimal; fields and header values are latin1 text.',
  client_id_secret: secret,
  client_id: clientId,
  ...keys,
  alternative: { client_id_secret: altSecret, ...altKeys, pair_client_id_header: altPairHeader },
  pairing: {
    request_body: pairBody,
    client_id_header: pairHeader,
    response_body: Buffer.concat([confirmed, confirm]),
    sid,
    ...session,
  },
  request_two_data_records: request(
    order,
    {
      method: 'POST',
      scheme: 'https',
      path: '/v1/orders?dry=true&q=%C3%A9',
      fields: [
        'content-type',
        'application/json',
        'authorization',
        'Bearer 0123456789abcdef',
        'content-length',
        '23',
        'x-note',
        'caf\xe9',
        'accept',
        '*/*',
        'accept',
        'text/html',
        'x-empty',
        '',
      ],
    },
    [bytes('{"item": 7, '), bytes('"count": 2}')],
  ),
  response_two_cookies: response(
    order,
    6,
    { status: 201, fields: ['set-cookie', 'a=1', 'set-cookie', 'b=2'] },
    [],
  ),
  request_mte: request(
    upload,
    { method: 'PUT', scheme: 'http', path: '/', fields: ['content-length', '300'] },
    [repeated(0, 300)],
  ),
  response_mte: response(upload, 7, { status: 204, fields: [] }, []),
  request_without_body: request(
    events,
    { method: 'GET', scheme: 'http', path: '/events', fields: ['accept', 'text/event-stream'] },
    [],
  ),
  response_empty_last_record: response(
    events,
    8,
    { status: 200, fields: ['content-type', 'text/event-stream'] },
    [bytes('data: 1\n\n'), bytes('data: 2\n\n'), Buffer.alloc(0)],
  ),
  store: storeBlob(),
  pair_error_566_p0: {
    client_id_header: pairHeader,
    status: 566,
    p: 0,
    unixms: unixMs,
    header: errorHeader(keys, pairHeader, 566, 0, unixMs),
  },
  tunnel_error_560_p0: {
    client_id_header: signed(tunnelHeader(1, 'mke', 1)),
    status: 560,
    p: 0,
    unixms: unixMs,
    header: errorHeader(keys, signed(tunnelHeader(1, 'mke', 1)), 560, 0, unixMs),
  },
};

/** JSON.stringify calls a Buffer's own toJSON first, which returns a list of numbers. */
const hexOctets = (key, value) =>
  value !== null && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value;

process.stdout.write(`${JSON.stringify(vectors, hexOctets, 1)}\n`);
