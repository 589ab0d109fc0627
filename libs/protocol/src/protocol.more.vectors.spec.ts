import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

import { parseClientIdHeader } from './client-id-header.js';
import { checkRequestHead, checkResponseHead } from './head-rules.js';
import { KeyRing } from './key-ring.js';
import { pairTranscript } from './key-exchange.js';
import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.js';
import { MessageOpener } from './message-opener.js';
import { MessageSealer } from './message-sealer.js';
import { decodePairRequest } from './pair-message.js';
import { PairingInitiator } from './pairing-initiator.js';
import { respondToPairing } from './pairing-responder.js';
import { BLOB_HEAD_BYTES, audienceHash, openSessionBlob } from './session-blob.js';
import { deriveProof, deriveRequestKey, deriveResponseKey } from './session-keys.js';
import { isResponseHeader, parseTunnelHeader } from './tunnel-header.js';

interface Keys {
  client_id_secret: string;
  kid: string;
  k_sender: string;
  k_error: string;
  k_store: string;
  psk: string;
}

interface Message<Head> {
  request_relay_header: string;
  relay_header: string;
  client_id_header: string;
  key: string;
  head: Head;
  head_bytes: string;
  body: string[];
  records: string[];
}

interface SignedError {
  client_id_header: string;
  header: string;
}

interface Stored {
  kid: string;
  audience: string;
  audience_hash: string;
  epoch: string;
  expires_at_ms: number;
  lifetime_seconds: number;
  blob: string;
  mark_argv2: string;
}

interface Vectors extends Keys {
  client_id: string;
  alternative: Keys & { pair_client_id_header: string };
  pairing: Record<'request_body' | 'client_id_header' | 'response_body', string> &
    Record<'sid' | 'k_c2s' | 'k_s2c', string>;
  request_two_data_records: Message<RequestHead>;
  request_mte: Message<RequestHead>;
  request_without_body: Message<RequestHead>;
  response_two_cookies: Message<ResponseHead>;
  response_mte: Message<ResponseHead>;
  response_empty_last_record: Message<ResponseHead>;
  request_replacing: Message<RequestHead>;
  request_replacing_mte: Message<RequestHead>;
  response_to_replacing: Message<ResponseHead>;
  response_to_replacing_mte: Message<ResponseHead>;
  checks: { client_id_header: string; response: Message<ResponseHead> }[];
  store: Stored;
  more_stores: Stored[];
  proof: string;
  recreated: Record<
    'xwing_eseed' | 'response_body' | 'sid' | 'k_c2s' | 'k_s2c' | 'proof',
    string
  > & { store: Stored };
  pair_error_566_p0: SignedError;
  tunnel_error_560_p1: SignedError;
}

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../../test/vectors/${name}`, import.meta.url));
const vectors = JSON.parse(readFileSync(pathOf('protocol-1-more.json'), 'utf8')) as Vectors;
const first = JSON.parse(readFileSync(pathOf('protocol-1.json'), 'utf8')) as Record<string, string>;

const octets = (hex: string): Buffer => Buffer.from(hex, 'hex');
const { pairing, alternative } = vectors;
const session = { clientToServer: octets(pairing.k_c2s), serverToClient: octets(pairing.k_s2c) };

let ring: KeyRing;
beforeAll(async () => {
  ring = await KeyRing.derive(vectors.client_id_secret, alternative.client_id_secret);
});

function expectRecords(message: Message<unknown>, key: Buffer): void {
  expect(key.toString('hex')).toBe(message.key);
  const contents = [message.head_bytes, ...message.body].map(octets);
  const wire = message.records.map(octets);

  const sealer = new MessageSealer(key);
  contents.forEach((content, at) => {
    const isLast = at === contents.length - 1;
    const sealed = at === 0 ? sealer.sealHead(content, isLast) : sealer.sealData(content, isLast);
    expect(sealed.toString('hex')).toBe(message.records[at]);
  });

  const opener = new MessageOpener(key);
  const opened = opener.push(Buffer.concat(wire));
  opener.finish();
  expect(opened.map(({ content }) => content)).toEqual(contents);
}

describe('further known answers of protocol version 1', () => {
  it.each(['protocol-1.json', 'protocol-1-more.json'])(
    'equal the output of the generator, byte for byte (%s)',
    async (name) => {
      const run = promisify(execFile);
      const { stdout } = await run(process.execPath, [pathOf('generate.mjs'), name], {
        encoding: 'utf8',
      });
      expect(stdout === readFileSync(pathOf(name), 'utf8')).toBe(true);
    },
    20_000,
  );

  it('come from a generator that imports no code of this repository but its own', () => {
    const files = readdirSync(pathOf('generator')).map((name) => `generator/${name}`);
    const imported = ['generate.mjs', ...files].flatMap((name) =>
      Array.from(
        readFileSync(pathOf(name), 'utf8').matchAll(/ from '([^']+)';$/gm),
        ([, from]) => from!,
      ),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(
      new Set(imported.filter((from) => !/^\.\/(generator\/)?[\w-]+\.mjs$/.test(from))),
    ).toEqual(
      new Set(['@noble/post-quantum/hybrid.js', 'node:buffer', 'node:crypto', 'node:process']),
    );
  });

  it('agree with the first known answers in every value that both contain', () => {
    for (const name of ['client_id', 'kid', 'k_sender', 'k_error', 'k_store', 'psk'] as const) {
      expect((vectors as unknown as Record<string, string>)[name]).toBe(first[name]);
    }
    for (const name of ['sid', 'k_c2s', 'k_s2c'] as const) {
      expect(pairing[name]).toBe(first[name]);
    }
    for (const name of ['request_body', 'client_id_header', 'response_body'] as const) {
      expect(pairing[name]).toBe(first[`pair_${name}`]);
    }
    expect(vectors.proof).toBe(first['proof']);
    expect(vectors.tunnel_error_560_p1.client_id_header).toBe(first['tunnel_client_id_header']);
    expect(vectors.tunnel_error_560_p1.header).toBe(first['error_560_p1']);
  });

  it('contain the keys of both secrets, which the key ring finds by kid', () => {
    expect(ring.current.kid).toBe(vectors.kid);
    expect(alternative.kid).not.toBe(vectors.kid);
    for (const known of [vectors, alternative]) {
      const keys = ring.find(known.kid)!;
      expect(keys.sender).toEqual(octets(known.k_sender));
      expect(keys.error).toEqual(octets(known.k_error));
      expect(keys.store).toEqual(octets(known.k_store));
      expect(keys.psk).toEqual(octets(known.psk));
    }
    expect(parseClientIdHeader(alternative.pair_client_id_header).kid).toBe(alternative.kid);
  });

  it('contain a pairing that completes with the known session', async () => {
    const body = octets(pairing.request_body);
    expect(pairTranscript(pairing.client_id_header, body).sid).toBe(pairing.sid);
    const initiator = await PairingInitiator.begin(
      first['aud']!,
      Number(first['time_ms']),
      octets(first['xwing_seed']!),
    );
    const paired = await initiator.complete(
      pairing.client_id_header,
      octets(pairing.response_body),
      ring.current,
    );
    expect(paired.keys).toMatchObject(session);
  });

  it.each([
    'request_two_data_records',
    'request_replacing',
    'request_mte',
    'request_replacing_mte',
    'request_without_body',
  ] as const)('contain %s, which is encoded, sealed, opened and decoded as known', (name) => {
    const message = vectors[name];
    const header = parseTunnelHeader(message.relay_header);
    expect(header.sid).toBe(pairing.sid);
    expect(header.type).toBe(name.endsWith('_mte') ? 'mte' : 'mke');
    expect(header.replaces !== undefined).toBe(name.startsWith('request_replacing'));
    expect(parseClientIdHeader(message.client_id_header).identity).toBe(
      `${vectors.kid}.${vectors.client_id}`,
    );
    checkRequestHead(message.head);
    expect(encodeRequestHead(message.head).toString('hex')).toBe(message.head_bytes);
    expect(decodeRequestHead(octets(message.head_bytes))).toEqual(message.head);
    expectRecords(message, deriveRequestKey(session, message.relay_header));
  });

  it.each([
    'response_two_cookies',
    'response_to_replacing',
    'response_mte',
    'response_to_replacing_mte',
    'response_empty_last_record',
  ] as const)('contain %s, which is encoded, sealed, opened and decoded as known', (name) => {
    const message = vectors[name];
    expect(isResponseHeader(message.relay_header)).toBe(true);
    checkResponseHead(message.head);
    expect(encodeResponseHead(message.head).toString('hex')).toBe(message.head_bytes);
    expect(decodeResponseHead(octets(message.head_bytes))).toEqual(message.head);
    const { request_relay_header: request, relay_header: response } = message;
    expectRecords(message, deriveResponseKey(session, request, response));
  });

  it('contain checks, and responses to them', () => {
    for (const { client_id_header, response } of vectors.checks) {
      const header = parseTunnelHeader(response.request_relay_header);
      expect(header).toMatchObject({ type: 'check', replaces: undefined });
      expect(parseClientIdHeader(client_id_header).kid).toBe(vectors.kid);
      expect(decodeResponseHead(octets(response.head_bytes))).toEqual({ status: 204, fields: [] });
      const { request_relay_header: check, relay_header: answer } = response;
      expectRecords(response, deriveResponseKey(session, check, answer));
    }
  });

  it('contain stored sessions that open to the known session, each for its audience and sender', () => {
    for (const known of [vectors.store, ...vectors.more_stores]) {
      const keys = ring.find(known.kid)!;
      const identity = `${known.kid}.${vectors.client_id}`;
      const blob = octets(known.blob);
      expect(blob.toString('latin1', 0, 40)).toBe(known.epoch);
      expect(blob.toString('hex', 0, BLOB_HEAD_BYTES)).toBe(known.mark_argv2);
      expect(audienceHash(known.audience)).toEqual(octets(known.audience_hash));
      expect(openSessionBlob(blob, keys, pairing.sid, identity)).toEqual({
        keys: session,
        expiresAtMs: known.expires_at_ms,
        lifetimeSeconds: known.lifetime_seconds,
        audienceHash: octets(known.audience_hash),
      });
      const other = ring.find(known.kid === vectors.kid ? alternative.kid : vectors.kid)!;
      expect(() => openSessionBlob(blob, other, pairing.sid, identity)).toThrow();
    }
  });

  it('contain what a replay of the pairing makes: a session of the same sid with other keys', async () => {
    const { recreated } = vectors;
    const body = octets(pairing.request_body);
    const transcript = pairTranscript(pairing.client_id_header, body);
    const identity = `${vectors.kid}.${vectors.client_id}`;
    const { keys, responseBody } = await respondToPairing(
      decodePairRequest(body).publicKey,
      transcript,
      ring.current,
      identity,
      { lifetimeSeconds: 3600, maxMessages: 2 ** 20 - 1 },
      octets(recreated.xwing_eseed),
    );
    expect(responseBody.toString('hex')).toBe(recreated.response_body);
    expect([transcript.sid, pairing.sid]).toEqual([recreated.sid, recreated.sid]);
    expect(keys).toMatchObject({
      clientToServer: octets(recreated.k_c2s),
      serverToClient: octets(recreated.k_s2c),
    });
    expect(
      openSessionBlob(octets(recreated.store.blob), ring.current, recreated.sid, identity).keys,
    ).toEqual(keys);
    expect(deriveProof(keys).toString('hex')).toBe(recreated.proof);
    expect(deriveProof(session).toString('hex')).toBe(vectors.proof);
    expect(recreated.proof).not.toBe(vectors.proof);
  });

  it('contain signed errors for the headers of their requests', () => {
    const pattern = /^1\.error\.(\d{3})\.([01])\.(\d{13})\.[A-Za-z0-9_-]{43}$/;
    const { pair_error_566_p0: pair, tunnel_error_560_p1: tunnel } = vectors;
    expect(pattern.exec(pair.header)?.slice(1)).toEqual(['566', '0', '1767225600000']);
    expect(pattern.exec(tunnel.header)?.slice(1)).toEqual(['560', '1', '1767225600000']);
    expect(pair.client_id_header).toBe(pairing.client_id_header);
    expect(isResponseHeader(pair.header)).toBe(false);
  });
});
