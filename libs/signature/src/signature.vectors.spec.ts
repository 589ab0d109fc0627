import { describe, expect, it } from 'vitest';

import { KeyRing } from '@relay/protocol';

import { answers, moreAnswers } from '../../../test/support/protocol/known-answers.js';
import { signError, verifyError } from './error-signature.js';
import { signSender, verifySender } from './sender-signature.js';

const { client_id: clientId, tunnel_relay_header: relayHeader } = answers;
const body = Buffer.from(answers.pair_request_body, 'hex');
const { alternative, pair_error_566_p0: pairError } = moreAnswers;
const keyRing = await KeyRing.derive(answers.client_id_secret, alternative.client_id_secret);
const keys = keyRing.current;

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

  it.each([
    ['error_560_p0', answers.tunnel_client_id_header, 560, answers.time_ms, answers.error_560_p0],
    [
      'tunnel_error_560_p0',
      moreAnswers.tunnel_error_560_p0.client_id_header,
      moreAnswers.tunnel_error_560_p0.status,
      moreAnswers.tunnel_error_560_p0.unixms,
      moreAnswers.tunnel_error_560_p0.header,
    ],
    [
      'pair_error_566_p0',
      pairError.client_id_header,
      pairError.status,
      pairError.unixms,
      pairError.header,
    ],
  ])('have a signed error %s, which verifies', (_name, clientIdHeader, status, unixMs, header) => {
    const error = { status, isNeverForwarded: true, unixMs };
    expect(signError(keys, clientIdHeader, error)).toBe(header);
    expect(verifyError(keys, clientIdHeader, header, status)).toEqual(error);
  });
});
