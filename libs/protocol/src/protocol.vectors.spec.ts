import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { pairTranscript, generateKeyPair } from './key-exchange.js';
import { encodeResponseHead } from './message-head.js';
import { MessageOpener } from './message-opener.js';
import { MessageSealer } from './message-sealer.js';
import { decodePairRequest } from './pair-message.js';
import { PairingInitiator } from './pairing-initiator.js';
import { respondToPairing } from './pairing-responder.js';
import { deriveSecretKeys } from './secret-keys.js';
import { BLOB_BYTES, BLOB_HEAD_BYTES, audienceHash, openSessionBlob } from './session-blob.js';
import { deriveProof, deriveRequestKey, deriveResponseKey } from './session-keys.js';

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/protocol-1.json', import.meta.url), 'utf8'),
) as Record<string, string> &
  Record<'time_ms' | 'exp_ms' | 'lifetime' | 'blob_length' | 'blob_bit_0', number>;

const hex = (name: string): Buffer => Buffer.from(vectors[name]!, 'hex');

describe('the library, compared with the known answers of protocol version 1', () => {
  it('derives the known keys from the secret', async () => {
    const keys = await deriveSecretKeys(vectors['client_id_secret']!);
    expect(keys.kid).toBe(vectors['kid']);
    expect(keys.sender).toEqual(hex('k_sender'));
    expect(keys.error).toEqual(hex('k_error'));
    expect(keys.store).toEqual(hex('k_store'));
    expect(keys.psk).toEqual(hex('psk'));
  });

  it('pairs with the known bodies, session id and keys on both sides', async () => {
    const secretKeys = await deriveSecretKeys(vectors['client_id_secret']!);
    const initiator = await PairingInitiator.begin(
      vectors['aud']!,
      vectors.time_ms,
      hex('xwing_seed'),
    );
    expect(initiator.requestBody.toString('hex')).toBe(vectors['pair_request_body']);

    const header = vectors['pair_client_id_header']!;
    const transcript = pairTranscript(header, initiator.requestBody);
    expect(transcript.sid).toBe(vectors['sid']);
    const { keys, responseBody } = await respondToPairing(
      decodePairRequest(initiator.requestBody).publicKey,
      transcript,
      secretKeys,
      `${secretKeys.kid}.${vectors['client_id']!}`,
      { lifetimeSeconds: 3600, maxMessages: 2 ** 20 - 1 },
      hex('xwing_eseed'),
    );
    expect(responseBody.toString('hex')).toBe(vectors['pair_response_body']);
    expect(keys.clientToServer).toEqual(hex('k_c2s'));

    const session = await initiator.complete(header, hex('pair_response_body'), secretKeys);
    expect(session.sid).toBe(vectors['sid']);
    expect(session.keys.clientToServer).toEqual(hex('k_c2s'));
    expect(session.keys.serverToClient).toEqual(hex('k_s2c'));
  });

  it('derives the known message keys', () => {
    const keys = { clientToServer: hex('k_c2s'), serverToClient: hex('k_s2c') };
    const request = vectors['tunnel_relay_header']!;
    expect(deriveRequestKey(keys, request)).toEqual(hex('k_request'));
    expect(deriveResponseKey(keys, request, vectors['response_relay_header']!)).toEqual(
      hex('k_response'),
    );
  });

  it('derives the known proof of the session', () => {
    const keys = { clientToServer: hex('k_c2s'), serverToClient: hex('k_s2c') };
    expect(deriveProof(keys)).toEqual(hex('proof'));
  });

  it('derives the known keys of a message that replaces another, and of the response to a check', () => {
    const keys = { clientToServer: hex('k_c2s'), serverToClient: hex('k_s2c') };
    const replacing = vectors['replace_relay_header']!;
    expect(deriveRequestKey(keys, replacing)).toEqual(hex('replace_k_request'));
    expect(deriveResponseKey(keys, replacing, vectors['response_relay_header']!)).toEqual(
      hex('replace_k_response'),
    );
    const check = vectors['check_relay_header']!;
    expect(deriveResponseKey(keys, check, vectors['check_response_relay_header']!)).toEqual(
      hex('check_k_response'),
    );
  });

  it('encodes and seals the known response to a check', () => {
    const head = encodeResponseHead({ status: 204, fields: [] });
    expect(head).toEqual(hex('check_response_head'));
    const sealer = new MessageSealer(hex('check_k_response'));
    expect(sealer.sealHead(head, true)).toEqual(hex('check_response_records'));
  });

  it('opens the known stored session', async () => {
    const keys = await deriveSecretKeys(vectors['client_id_secret']!);
    const identity = `${vectors['kid']!}.${vectors['client_id']!}`;
    const blob = hex('blob');
    expect(openSessionBlob(blob, keys, vectors['sid']!, identity)).toEqual({
      keys: { clientToServer: hex('k_c2s'), serverToClient: hex('k_s2c') },
      expiresAtMs: vectors.exp_ms,
      lifetimeSeconds: vectors.lifetime,
      audienceHash: hex('aud_hash'),
    });
    expect(audienceHash(vectors['aud']!)).toEqual(hex('aud_hash'));
    expect(blob.subarray(0, BLOB_HEAD_BYTES)).toEqual(hex('mark_argv2'));
    expect([BLOB_BYTES, 8 * BLOB_BYTES]).toEqual([vectors.blob_length, vectors.blob_bit_0]);
  });

  it('opens the known records', () => {
    const request = new MessageOpener(hex('k_request'));
    expect(request.push(hex('request_records'))).toEqual([
      { content: hex('request_head_plain'), isLast: false },
      { content: hex('request_body_plain'), isLast: true },
    ]);
    const replacing = new MessageOpener(hex('replace_k_request'));
    expect(replacing.push(hex('replace_request_records'))).toHaveLength(2);
    const response = new MessageOpener(hex('k_response'));
    const [record] = response.push(hex('response_records'));
    expect(record?.isLast).toBe(true);
  });

  it('seals the known data record', () => {
    const sealer = new MessageSealer(hex('k_request'));
    sealer.sealHead(hex('request_head_plain'), false);
    const known = hex('request_records').subarray(25);
    expect(sealer.sealData(hex('request_body_plain'), true)).toEqual(known);
  });
});

it('a public key is 1,216 bytes long', async () => {
  expect((await generateKeyPair(hex('xwing_seed'))).publicKey).toHaveLength(1216);
});
