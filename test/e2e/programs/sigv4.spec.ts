import { describe, expect, it } from 'vitest';

import { verifySigV4, type SignedRequest } from '../../support/programs/sigv4.js';

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const HOST = 'examplebucket.s3.amazonaws.com';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=${KEY.id}/20130524/us-east-1/s3/aws4_request,` +
  `SignedHeaders=${signedHeaders},Signature=${signature}`;

/** The examples of AWS's documentation of Signature Version 4 for S3. */
const EXAMPLES: readonly [what: string, SignedRequest][] = [
  [
    'GET of a range',
    {
      method: 'GET',
      target: '/test.txt',
      headers: {
        host: HOST,
        range: 'bytes=0-9',
        'x-amz-content-sha256': EMPTY,
        'x-amz-date': '20130524T000000Z',
        authorization: authorization(
          'host;range;x-amz-content-sha256;x-amz-date',
          'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
        ),
      },
    },
  ],
  [
    'PUT with a date of HTTP',
    {
      method: 'PUT',
      target: '/test%24file.text',
      headers: {
        host: HOST,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        authorization: authorization(
          'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
          '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
        ),
      },
    },
  ],
  [
    'GET of a parameter without a value',
    {
      method: 'GET',
      target: '/?lifecycle',
      headers: {
        host: HOST,
        'x-amz-content-sha256': EMPTY,
        'x-amz-date': '20130524T000000Z',
        authorization: authorization(
          'host;x-amz-content-sha256;x-amz-date',
          'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
        ),
      },
    },
  ],
  [
    'presigned GET',
    {
      method: 'GET',
      target:
        '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
        '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
        '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
      headers: { host: HOST },
    },
  ],
];

describe.each(EXAMPLES)(
  "the tests' verifier of AWS signatures, given AWS's %s",
  (_what, request) => {
    it('accepts it', () => {
      expect(verifySigV4(request, KEY)).toBe('valid');
    });

    it('refuses it with another host, method or path', () => {
      const changed: SignedRequest[] = [
        { ...request, headers: { ...request.headers, host: 'other.s3.amazonaws.com' } },
        { ...request, method: 'DELETE' },
        { ...request, target: `/x${request.target.slice(1)}` },
      ];

      expect(changed.map((each) => verifySigV4(each, KEY))).toEqual(
        changed.map(() => 'SignatureDoesNotMatch'),
      );
    });

    it('refuses it with another key', () => {
      expect(verifySigV4(request, { ...KEY, secret: 'another' })).toBe('SignatureDoesNotMatch');
      expect(verifySigV4(request, { ...KEY, id: 'ANOTHER' })).toBe('InvalidAccessKeyId');
    });
  },
);
