import { createHash, createHmac } from 'node:crypto';

/** A request as a server received it. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as on the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface AwsKey {
  readonly id: string;
  readonly secret: string;
}

/** What the client has signed, whether in `Authorization` or in the query of a presigned address. */
interface Claims {
  readonly keyId: string;
  /** `date/region/service/aws4_request` */
  readonly scope: string;
  readonly time: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly payloadHash: string;
}

export type Verdict = 'valid' | 'InvalidAccessKeyId' | 'SignatureDoesNotMatch' | 'AccessDenied';

/**
 * Verifies a request by AWS Signature Version 4 as S3 does, with the Host that has arrived:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function verifySigV4(request: SignedRequest, key: AwsKey): Verdict {
  const { pathname, query } = partsOf(request.target);
  const claims = claimsInHeader(request) ?? claimsInQuery(query);
  if (claims === undefined) {
    return 'AccessDenied';
  }
  if (claims.keyId !== key.id) {
    return 'InvalidAccessKeyId';
  }
  const canonical = [
    request.method,
    canonicalPath(pathname),
    canonicalQuery(query),
    ...claims.signedHeaders.map((name) => `${name}:${valueOf(request, name)}`),
    '',
    claims.signedHeaders.join(';'),
    claims.payloadHash,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', claims.time, claims.scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(key.secret, claims.scope), text).toString('hex');
  return signature === claims.signature ? 'valid' : 'SignatureDoesNotMatch';
}

export const sha256 = (data: string | Buffer): string =>
  createHash('sha256').update(data).digest('hex');

const hmac = (key: string | Buffer, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

const signingKey = (secret: string, scope: string): Buffer =>
  scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`) as Buffer;

type Query = readonly (readonly [name: string, value: string])[];

function partsOf(target: string): { readonly pathname: string; readonly query: Query } {
  const [pathname = '', search = ''] = target.split('?', 2);
  const query = search
    .split('&')
    .filter((part) => part !== '')
    .map((part): [string, string] => {
      const at = part.indexOf('=');
      return at < 0
        ? [decodeURIComponent(part), '']
        : [decodeURIComponent(part.slice(0, at)), decodeURIComponent(part.slice(at + 1))];
    });
  return { pathname, query };
}

/** RFC 3986's unreserved characters remain; every other octet is escaped. */
const uriEncode = (value: string): string =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const canonicalPath = (pathname: string): string =>
  pathname
    .split('/')
    .map((segment) => uriEncode(decodeURIComponent(segment)))
    .join('/');

const canonicalQuery = (query: Query): string =>
  query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort()
    .join('&');

const valueOf = ({ headers }: SignedRequest, name: string): string =>
  [headers[name] ?? ''].flat().join(',').trim().replaceAll(/ +/g, ' ');

const CREDENTIAL = /^([^/]+)\/(.+)$/;

function claimsInHeader(request: SignedRequest): Claims | undefined {
  const authorization = valueOf(request, 'authorization');
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    return undefined;
  }
  const part = (name: string): string =>
    new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
  const [, keyId = '', scope = ''] = CREDENTIAL.exec(part('Credential')) ?? [];
  return {
    keyId,
    scope,
    time: valueOf(request, 'x-amz-date') || isoTime(valueOf(request, 'date')),
    signedHeaders: part('SignedHeaders').split(';'),
    signature: part('Signature'),
    payloadHash: valueOf(request, 'x-amz-content-sha256'),
  };
}

const isoTime = (date: string): string =>
  new Date(date).toISOString().replaceAll(/[-:]|\.\d+/g, '');

function claimsInQuery(query: Query): Claims | undefined {
  const values = new Map(query);
  const part = (name: string): string => values.get(`X-Amz-${name}`) ?? '';
  if (part('Algorithm') !== 'AWS4-HMAC-SHA256') {
    return undefined;
  }
  const [, keyId = '', scope = ''] = CREDENTIAL.exec(part('Credential')) ?? [];
  return {
    keyId,
    scope,
    time: part('Date'),
    signedHeaders: part('SignedHeaders').split(';'),
    signature: part('Signature'),
    payloadHash: part('Content-Sha256') || 'UNSIGNED-PAYLOAD',
  };
}
