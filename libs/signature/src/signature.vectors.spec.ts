import { describe, expect, it } from 'vitest';

import { KeyRing } from '@relay/protocol';

import {
  answers,
  moreAnswers,
  type SignedErrorAnswer,
} from '../../../test/support/protocol/known-answers.js';
import { signError, verifyError } from './error-signature.js';
import { signSender, verifySender } from './sender-signature.js';

const { client_id: clientId, tunnel_relay_header: relayHeader } = answers;
const body = Buffer.from(answers.pair_request_body, 'hex');
const { alternative } = moreAnswers;
const keyRing = await KeyRing.derive(answers.client_id_secret, alternative.client_id_secret);
const keys = keyRing.current;
const proof = Buffer.from(moreAnswers.proof, 'hex');

describe('the known answers for signatures', () => {
  it('have tunnel_client_id_header as the signature of a tunnel request', () => {
    const header = signSender(keys, clientId, relayHeader, { purpose: 'tunnel' });
    expect(header).toBe(answers.tunnel_client_id_header);
  });

  it('have pair_client_id_header as the signature of a pairing request', () => {
    const header = signSender(keys, clientId, '1', { purpose: 'pair', body });
    expect(header).toBe(answers.pair_client_id_header);
  });

  it('have another pair_client_id_header for a pairing request signed with the alternative secret', () => {
    const alternativeKeys = keyRing.find(alternative.kid)!;
    const header = signSender(alternativeKeys, clientId, '1', { purpose: 'pair', body });
    expect(header).toBe(alternative.pair_client_id_header);
  });

  it('verify, and yield the sender that they name', () => {
    expect(
      verifySender(keyRing, answers.tunnel_client_id_header, relayHeader, { purpose: 'tunnel' }),
    ).toEqual({
      clientIdHeader: answers.tunnel_client_id_header,
      identity: `${answers.kid}.${clientId}`,
      secretKeys: keys,
    });
    expect(
      verifySender(keyRing, alternative.pair_client_id_header, '1', { purpose: 'pair', body }),
    ).toMatchObject({
      identity: `${alternative.kid}.${clientId}`,
      secretKeys: keyRing.find(alternative.kid),
    });
  });

  const errors: readonly (readonly [name: string, error: SignedErrorAnswer])[] = [
    ['pair_error_566_p0', moreAnswers.pair_error_566_p0],
    ['tunnel_error_560_p1', moreAnswers.tunnel_error_560_p1],
    ...moreAnswers.errors.map(
      (error, at) => [`errors[${at}], ${error.status} p=${error.p}`, error] as const,
    ),
  ];

  it.each(errors)('have a signed error %s, which verifies', (_name, known) => {
    const { client_id_header: clientIdHeader, header, status } = known;
    const error = { status, isNeverForwarded: known.p === 0, unixMs: known.unixms };
    const ofSession = known.about === 'message' ? proof : undefined;
    expect(signError(keys, clientIdHeader, error, ofSession)).toBe(header);
    expect(verifyError(keys, clientIdHeader, header, status, ofSession)).toEqual(error);
  });

  it('have errors with p=0 about messages, which do not verify without the proof of the session', () => {
    const proved = moreAnswers.errors.filter(({ about, p }) => about === 'message' && p === 0);
    expect(proved.length).toBe(15);
    for (const { client_id_header: clientIdHeader, header, status } of proved) {
      expect(verifyError(keys, clientIdHeader, header, status)).toBeUndefined();
    }
  });

  it.each([
    ['of a re-created session', moreAnswers.recreated.errors, moreAnswers.recreated.proof],
    ['that are bound to no session', moreAnswers.errors_without_proof, undefined],
  ] as const)('have errors %s, which prove nothing', (_name, unproved, hex) => {
    const other = hex === undefined ? undefined : Buffer.from(hex, 'hex');
    expect(unproved.length).toBe(12);
    for (const { client_id_header: clientIdHeader, header, status, unixms } of unproved) {
      const error = { status, isNeverForwarded: true, unixMs: unixms };
      expect(signError(keys, clientIdHeader, error, other)).toBe(header);
      expect(verifyError(keys, clientIdHeader, header, status, other)).toEqual(error);
      expect(verifyError(keys, clientIdHeader, header, status, proof)).toBeUndefined();
    }
  });

  it.each([
    ['error_559_p0', 'tunnel', 559, true],
    ['error_560_p1', 'tunnel', 560, false],
    ['error_562_p0', 'tunnel', 562, true],
    ['error_564_p0', 'tunnel', 564, true],
    ['error_565_p1', 'tunnel', 565, false],
    ['replace_error_560_p1', 'replace', 560, false],
    ['replace_error_562_p0', 'replace', 562, true],
  ] as const)('have %s for its message alone', (name, message, status, isNeverForwarded) => {
    const error = { status, isNeverForwarded, unixMs: answers.time_ms };
    const own = answers[`${message}_client_id_header`];
    const other = answers[`${message === 'tunnel' ? 'replace' : 'tunnel'}_client_id_header`];
    expect(signError(keys, own, error, proof)).toBe(answers[name]);
    expect(verifyError(keys, own, answers[name], status, proof)).toEqual(error);
    expect(verifyError(keys, other, answers[name], status, proof)).toBeUndefined();
  });
});
