/** The values of protocol-1.json. The heads of its messages are not heads of section 6, and not padded. */
import { Buffer } from 'node:buffer';

import {
  audience,
  clientId,
  epoch,
  eseed,
  keys,
  lifetime,
  secret,
  seed,
  session,
  unixMs,
} from './constants.mjs';
import { requestKey, responseHead, responseKey, sealRecords } from './messages.mjs';
import { bytes, repeated } from './notation.mjs';
import {
  errorHeader,
  messageHeader,
  responseHeader,
  secretRoot,
  sessionProof,
  signedMessage,
} from './signatures.mjs';
import { audienceHash, BIT_0, storedSession } from './store.mjs';

const { sid } = session;
const head = bytes('head');
const body = bytes('hello');
const nonce = repeated(6, 12);
const exp = unixMs + lifetime * 1000;

const message = messageHeader(sid, 1, 42, 'mke', 1);
const replacing = messageHeader(sid, '2r1', 43, 'mke', 3);
const check = messageHeader(sid, 3, 44, 'check', 4);
const response = responseHeader(2);
const checkResponse = responseHeader(5);
const checkHead = responseHead({ status: 204, fields: [] });

const signed = (header) => signedMessage(keys, clientId, header);
const records = (key, ...contents) => Buffer.concat(sealRecords(key, head, contents, 1));
const messageKey = requestKey(session, message);
const replacingKey = requestKey(session, replacing);
const messageResponseKey = responseKey(session, message, response);
const checkResponseKey = responseKey(session, check, checkResponse);
const proof = sessionProof(session);
const error = (header, status, p) =>
  errorHeader(keys, signed(header), status, p, unixMs, ...(p === 0 ? [proof] : []));
const { aad, plaintext, blob, markArgv2 } = storedSession({
  ...{ keys, clientId, session, audience, epoch, nonce, exp, lifetime },
});

export const protocol1 = {
  note: 'Known answers for docs/protocol.md. README.md describes the entries. The values that depend on the form of x-mte-relay and on that of the stored session were computed by two implementations before they were written here; generate.mjs computes all of them.',
  client_id_secret: secret,
  root: secretRoot(secret),
  k_sender: keys.k_sender,
  k_error: keys.k_error,
  k_store: keys.k_store,
  psk: keys.psk,
  kid: keys.kid,
  client_id: clientId,
  aud: audience,
  time_ms: unixMs,
  xwing_seed: seed,
  xwing_eseed: eseed,
  pair_request_body: session.request_body,
  pair_client_id_header: session.client_id_header,
  pair_response_body: session.response_body,
  sid,
  k_c2s: session.k_c2s,
  k_s2c: session.k_s2c,
  k_confirm: session.k_confirm,
  tunnel_relay_header: message,
  tunnel_client_id_header: signed(message),
  k_request: messageKey,
  request_head_plain: head,
  request_body_plain: body,
  request_records: records(messageKey, body),
  response_relay_header: response,
  k_response: messageResponseKey,
  response_records: records(messageResponseKey),
  replace_relay_header: replacing,
  replace_client_id_header: signed(replacing),
  replace_k_request: replacingKey,
  replace_request_records: records(replacingKey, body),
  replace_k_response: responseKey(session, replacing, response),
  check_relay_header: check,
  check_client_id_header: signed(check),
  check_response_relay_header: checkResponse,
  check_k_response: checkResponseKey,
  check_response_head: checkHead,
  check_response_records: Buffer.concat(sealRecords(checkResponseKey, checkHead, [])),
  proof,
  error_559_p0: error(message, 559, 0),
  error_560_p1: error(message, 560, 1),
  error_562_p0: error(message, 562, 0),
  error_564_p0: error(message, 564, 0),
  error_565_p1: error(message, 565, 1),
  replace_error_560_p1: error(replacing, 560, 1),
  replace_error_562_p0: error(replacing, 562, 0),
  epoch,
  blob_nonce: nonce,
  exp_ms: exp,
  lifetime,
  aud_hash: audienceHash(audience),
  blob_aad: aad,
  blob_plaintext: plaintext,
  blob,
  blob_length: blob.length,
  blob_bit_0: BIT_0,
  mark_argv2: markArgv2,
};
