/** The values of protocol-1-more.json. */
import { Buffer } from 'node:buffer';

import {
  altKeys,
  altSecret,
  audience,
  clientId,
  epoch,
  keys,
  lifetime,
  recreatedEseed,
  recreatedSession,
  secret,
  session,
  unixMs,
} from './constants.mjs';
import { requestHead, requestKey, responseHead, responseKey, sealRecords } from './messages.mjs';
import { bytes, repeated } from './notation.mjs';
import {
  errorHeader,
  messageHeader,
  responseHeader,
  sessionProof,
  signedMessage,
  signedPairing,
} from './signatures.mjs';
import { audienceHash, bitOf, markedString, storedSession } from './store.mjs';
import { upgradeHeads } from './upgrade-heads.mjs';

const header = (number, age, type, salt) => messageHeader(session.sid, number, age, type, salt);
const signed = (relayHeader) => signedMessage(keys, clientId, relayHeader);

function request(relayHeader, head, body) {
  const key = requestKey(session, relayHeader);
  const headBytes = requestHead(head);
  return {
    relay_header: relayHeader,
    client_id_header: signed(relayHeader),
    key,
    head,
    head_bytes: headBytes,
    body,
    records: sealRecords(key, headBytes, body),
  };
}

function response(requestHeader, salt, head, body) {
  const relayHeader = responseHeader(salt);
  const key = responseKey(session, requestHeader, relayHeader);
  const headBytes = responseHead(head);
  return {
    request_relay_header: requestHeader,
    relay_header: relayHeader,
    key,
    head,
    head_bytes: headBytes,
    body,
    records: sealRecords(key, headBytes, body),
  };
}

const orderHead = {
  method: 'POST',
  scheme: 'https',
  authority: 'shop.example.com:8443',
  path: '/v1/orders?dry=true&q=%C3%A9',
  fields: [
    ...['content-type', 'application/json'],
    ...['authorization', 'Bearer 0123456789abcdef'],
    ...['content-length', '23'],
    ...['x-note', 'caf\xe9'],
    ...['accept', '*/*', 'accept', 'text/html'],
    ...['x-empty', ''],
  ],
};
const orderBody = [bytes('{"item": 7, '), bytes('"count": 2}')];
const uploadHead = {
  method: 'PUT',
  scheme: 'http',
  authority: '',
  path: '/',
  fields: ['content-length', '300'],
};
const longestAuthority = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(57)}.${'d'.repeat(63)}:65535`;
const uploadBody = [repeated(0, 300)];

const order = header(2, 0, 'mke', 3);
const orderAgain = header('3r2', 1, 'mke', 9);
const upload = header(262143, 3599, 'mte', 4);
const uploadAgain = header('1048575r262143', 99999, 'mte', 10);
const events = header(1048575, 99999, 'mke', 5);
const firstCheck = header(1, 0, 'check', 11);
const lastCheck = header(1048575, 99999, 'check', 12);

/** Messages of protocol-1-more-cases.json. */
const caseHeaders = {
  'age 0': header(4, 0, 'mke', 17),
  'age 99999': header(5, 99999, 'mke', 18),
  largest: header('1048575r1048574', 42, 'mte', 19),
};
const alternativeHeader = header(6, 42, 'mke', 20);

const noContent = { status: 204, fields: [] };

const check = (relayHeader, salt) => ({
  client_id_header: signed(relayHeader),
  response: response(relayHeader, salt, noContent, []),
});

const signedError = (about, clientIdHeader, status, p, ...proof) => ({
  about,
  client_id_header: clientIdHeader,
  status,
  p,
  unixms: unixMs,
  header: errorHeader(keys, clientIdHeader, status, p, unixMs, ...proof),
});
const pairingError = (status, p) => signedError('pairing', session.client_id_header, status, p);
const proof = sessionProof(session);
const messageError = (relayHeader, status, p) =>
  signedError('message', signed(relayHeader), status, p, ...(p === 0 ? [proof] : []));
/** Every pair of status and p that section 8 lets a responder sign. */
const errorsOfPairing = [562, 563, 564, 565, 566, 568].map((status) => [status, 0]);
const provedStatuses = [559, 562, 564];
const errorsOfMessage = [
  ...provedStatuses.map((status) => [status, 0]),
  ...[560, 561, 562, 563, 565, 567].map((status) => [status, 1]),
];
/** Errors with p=0 about the same messages that prove nothing to the initiator. */
const unproved = (...otherProof) =>
  [order, orderAgain, upload, firstCheck].flatMap((relayHeader) =>
    provedStatuses.map((status) =>
      signedError('message', signed(relayHeader), status, 0, ...otherProof),
    ),
  );

function stored(sender, storedAudience, epoch, nonceOctet, exp, storedLifetime, of = session) {
  const nonce = repeated(nonceOctet, 12);
  const { aad, plaintext, blob, markArgv2 } = storedSession({
    ...{ keys: sender, clientId, session: of, audience: storedAudience, epoch, nonce },
    ...{ exp, lifetime: storedLifetime },
  });
  return {
    kid: sender.kid,
    audience: storedAudience,
    audience_hash: audienceHash(storedAudience),
    epoch,
    nonce,
    expires_at_ms: exp,
    lifetime_seconds: storedLifetime,
    aad,
    plaintext,
    blob,
    mark_argv2: markArgv2,
  };
}

const replicationId = '8f2c1d4e5b6a79808f2c1d4e5b6a79808f2c1d4e';
const noReplicationId = '0'.repeat(40);
const longestAudience = `https://${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(55)}`;
const store = stored(keys, audience, replicationId, 0x0b, unixMs + lifetime * 1000, lifetime);

export const protocol1More = {
  note: 'Known answers for docs/protocol.md, made by generate.mjs. Octets are hexadecimal; fields and header values are latin1 text.',
  client_id_secret: secret,
  client_id: clientId,
  ...keys,
  alternative: {
    client_id_secret: altSecret,
    ...altKeys,
    pair_client_id_header: signedPairing(altKeys, clientId, session.request_body),
  },
  pairing: {
    request_body: session.request_body,
    client_id_header: session.client_id_header,
    response_body: session.response_body,
    sid: session.sid,
    k_c2s: session.k_c2s,
    k_s2c: session.k_s2c,
  },
  request_two_data_records: request(order, orderHead, orderBody),
  response_two_cookies: response(
    order,
    6,
    { status: 201, fields: ['set-cookie', 'a=1', 'set-cookie', 'b=2'] },
    [],
  ),
  request_replacing: request(orderAgain, orderHead, orderBody),
  response_to_replacing: response(
    orderAgain,
    13,
    { status: 201, fields: ['set-cookie', 'a=1', 'set-cookie', 'b=2'] },
    [],
  ),
  request_mte: request(upload, uploadHead, uploadBody),
  response_mte: response(upload, 7, noContent, []),
  request_replacing_mte: request(uploadAgain, uploadHead, uploadBody),
  response_to_replacing_mte: response(uploadAgain, 14, noContent, []),
  request_without_body: request(
    events,
    {
      method: 'GET',
      scheme: 'http',
      authority: longestAuthority,
      path: '/events',
      fields: ['accept', 'text/event-stream'],
    },
    [],
  ),
  response_empty_last_record: response(
    events,
    8,
    { status: 200, fields: ['content-type', 'text/event-stream'] },
    [bytes('data: 1\n\n'), bytes('data: 2\n\n'), Buffer.alloc(0)],
  ),
  checks: [check(firstCheck, 15), check(lastCheck, 16)],
  store,
  more_stores: [
    stored(keys, 'http://localhost:8080', noReplicationId, 0x11, unixMs + 300_000, 300),
    stored(keys, 'https://xn--bcher-kva.example', replicationId, 0x12, unixMs + 86_400_000, 86400),
    stored(keys, longestAudience, replicationId, 0x13, 9_999_999_999_999, 86400),
    stored(altKeys, audience, replicationId, 0x14, unixMs + lifetime * 1000, lifetime),
  ],
  mark_bits: [1, 2, 7, 8, 1023, 262143, 262144, 1048575].map(bitOf),
  marked_stores: [[1], [1, 2], [7, 8], [1, 2, 3, 17]].map((numbers) => ({
    numbers,
    string: markedString(store.blob, numbers),
  })),
  case_headers: {
    ...Object.fromEntries(
      Object.entries(caseHeaders).map(([name, relayHeader]) => [
        name,
        { relay_header: relayHeader, client_id_header: signed(relayHeader) },
      ]),
    ),
    'another secret': {
      relay_header: alternativeHeader,
      client_id_header: signedMessage(altKeys, clientId, alternativeHeader),
    },
  },
  proof,
  pair_error_566_p0: pairingError(566, 0),
  tunnel_error_560_p1: messageError(header(1, 42, 'mke', 1), 560, 1),
  errors: [
    ...errorsOfPairing.map(([status, p]) => pairingError(status, p)),
    ...[order, orderAgain, upload, uploadAgain, firstCheck].flatMap((relayHeader) =>
      errorsOfMessage.map(([status, p]) => messageError(relayHeader, status, p)),
    ),
  ],
  recreated: {
    xwing_eseed: recreatedEseed,
    response_body: recreatedSession.response_body,
    sid: recreatedSession.sid,
    k_c2s: recreatedSession.k_c2s,
    k_s2c: recreatedSession.k_s2c,
    store: stored(keys, audience, epoch, 0x15, unixMs + lifetime * 1000, lifetime, recreatedSession),
    proof: sessionProof(recreatedSession),
    errors: unproved(sessionProof(recreatedSession)),
  },
  errors_without_proof: unproved(),
  upgrade_heads: upgradeHeads,
};
