import { describe, expect, it } from 'vitest';

import { connectionAuthRefusal, withoutConnectionChallenges } from './connection-auth.js';

describe('the credentials of a request', () => {
  it.each([
    'NTLM TlRMTVNTUAABAAAA',
    'ntlm TlRMTVNTUAABAAAA',
    'Negotiate YII=',
    'nEgOtIaTe YII=',
    'Negotiate',
    'Nego2 YII=',
    'Kerberos YII=',
    'NTLM\tTlRMTVNTUAABAAAA',
    'NTLMTlRMTVNTUAABAAAA',
    ' NTLM a',
    '\u00a0NTLM a',
    '\u0085NTLM a',
    'Basic YTpi, NTLM a',
    'Basic YTpi,Negotiate a',
    ',NTLM a',
  ])('are refused, with the verdict no, if they are %j', (value) => {
    const refusal = connectionAuthRefusal(['a', 'b', 'authorization', value]);

    expect(refusal).toMatchObject({ code: 'RELAY_CONNECTION_AUTH_UNSUPPORTED', forwarded: 'no' });
  });

  it('are refused in the second of two fields as well', () => {
    const fields = ['authorization', 'Basic YTpi', 'authorization', 'NTLM a'];
    expect(connectionAuthRefusal(fields)).toBeDefined();
  });

  it.each([
    'Basic TlRMTQ==',
    'Bearer ntlm',
    'Bearer NTLM.negotiate',
    'Digest username="negotiate", realm="NTLM"',
    'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=ntlm',
    'DPoP a',
    'XNTLM a',
  ])('are not refused if they are %j', (value) => {
    expect(connectionAuthRefusal(['authorization', value])).toBeUndefined();
  });

  it('are looked for in authorization only', () => {
    expect(connectionAuthRefusal(['x-authorization', 'NTLM a'])).toBeUndefined();
  });
});

describe('the challenges of a response', () => {
  it.each([
    [['Negotiate', 'NTLM', 'Basic realm="a"'], ['Basic realm="a"']],
    [['Negotiate, NTLM, Basic realm="a"'], ['Basic realm="a"']],
    [['Basic realm="a, NTLM", negotiate YII=, Bearer'], ['Basic realm="a, NTLM", Bearer']],
    [
      ['NTLM TlRMTVNTUAAC==, Digest realm = "a", nonce="b", qop="auth, auth-int"'],
      ['Digest realm = "a", nonce="b", qop="auth, auth-int"'],
    ],
    [['Bearer  realm  =  "a", Negotiate'], ['Bearer  realm  =  "a"']],
    [['Negotiate, Digest qop  = auth'], ['Digest qop  = auth']],
    [['Negotiate a="b", c=d, Bearer scope="e"'], ['Bearer scope="e"']],
    [['Basic realm="a \\", NTLM"', 'kerberos'], ['Basic realm="a \\", NTLM"']],
    [['Basic realm="a\u00e9"', 'Nego2'], ['Basic realm="a\u00e9"']],
  ])('are %j without those of a connection: %j', (values, kept) => {
    const fields = ['a', 'b', ...values.flatMap((value) => ['www-authenticate', value])];

    expect(withoutConnectionChallenges(401, fields)).toEqual([
      ...['a', 'b'],
      ...kept.flatMap((value) => ['www-authenticate', value]),
    ]);
  });

  it.each([['Basic realm="NTLM"'], ['Bearer error="negotiate, ntlm"'], ['Digest realm="a'], ['']])(
    'stay the same array if none is of a connection: %j',
    (value) => {
      const fields = ['www-authenticate', value, 'set-cookie', 'a'];
      expect(withoutConnectionChallenges(401, fields)).toBe(fields);
    },
  );

  it.each([[['Negotiate', 'NTLM']], [['negotiate, ntlm']], [['NTLM TlRMTVNTUAAC==']]])(
    'end in an error with the verdict maybe if none is left of %j',
    (values) => {
      const fields = values.flatMap((value) => ['www-authenticate', value]);

      expect(() => withoutConnectionChallenges(401, fields)).toThrow(
        expect.objectContaining({
          code: 'RELAY_CONNECTION_AUTH_UNSUPPORTED',
          forwarded: 'maybe',
        }) as Error,
      );
    },
  );

  it('are read in linear time, whatever the upstream sends', () => {
    const value = `NTLM, Digest a="${'\\"'.repeat(32_000)}`;
    const startedAtMs = performance.now();
    withoutConnectionChallenges(401, ['www-authenticate', value]);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });

  it('are only removed from a response that is no 401', () => {
    expect(withoutConnectionChallenges(200, ['www-authenticate', 'NTLM', 'a', 'b'])).toEqual([
      ...['a', 'b'],
    ]);
  });
});
