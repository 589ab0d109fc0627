import { describe, expect, it } from 'vitest';
import { headerRules } from './headers.js';
import { Refused } from './rule.js';

const rules = headerRules({ request: 'REQUEST_HEADERS', response: 'RESPONSE_HEADERS' });

const VARIABLES = [
  ['HEADERS', rules.headers],
  ['REQUEST_HEADERS', rules.requestHeaders],
  ['RESPONSE_HEADERS', rules.responseHeaders],
] as const;

const problemsOf = (read: typeof rules.headers, ...names: string[]): readonly string[] => {
  const refused = read(JSON.stringify(Object.fromEntries(names.map((name) => [name, 'canary']))));
  return refused instanceof Refused ? refused.problems : [];
};

describe.each(VARIABLES)('%s', (_variable, read) => {
  it('lower-cases the names and keeps the order', () => {
    expect(read('{"X-Zone":"eu","Via":"1.1 a","a":""}')).toEqual([
      ['x-zone', 'eu'],
      ['via', '1.1 a'],
      ['a', ''],
    ]);
  });

  it('accepts every byte that a field value may contain', () => {
    const value = '\t !~\u0080ÿ';
    expect(read(JSON.stringify({ a: value }))).toEqual([['a', value]]);
  });

  it('treats a name with a special meaning in JavaScript like any other', () => {
    expect(read('{"__proto__":"a","constructor":"b"}')).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it.each(['', 'x', '{', 'null', '1', '"a"', '[]', '["a"]', '[['.repeat(50_000)])(
    'refuses a text that is not a JSON object: %.20s',
    (text) => {
      expect(read(text)).toBeInstanceOf(Refused);
    },
  );

  it.each([
    ...['connection', 'Keep-Alive', 'proxy-connection', 'Proxy-Authenticate', 'keep_alive'],
    ...['TE', 'trailer', 'Transfer-Encoding', 'upgrade', 'Expect', 'HOST', 'transfer_encoding'],
    ...['Content-Length', 'content-type', 'content-', 'Content_Length', 'content.type'],
    ...['X-MTE-Relay', 'x-mte-anything', 'x_mte_relay', 'proxy-authentication-info'],
    ...['Proxy_Authorization', 'proxy_connection'],
  ])('refuses to set %s, in whatever punctuation', (name) => {
    const [problem, ...others] = problemsOf(read, name);
    expect(problem).toMatch(`must not set ${name.toLowerCase()}`);
    expect(others).toEqual([]);
  });

  it.each(['', 'a b', 'a:', 'a\n', 'é', 'a(b)'])('refuses the name %j', (name) => {
    expect(problemsOf(read, 'ok', name)).toEqual(['entry 2 must have an HTTP field name']);
  });

  it.each(['a\nb', 'a\r', '\u0000', '\u007f', 'Ā', '😀'])('refuses the value %j', (value) => {
    expect(read(JSON.stringify({ a: value }))).toEqual(
      new Refused('must give a a valid HTTP field value'),
    );
  });

  it.each([1, true, null, ['a'], { b: 'c' }])('refuses %j as a value', (value) => {
    expect(read(JSON.stringify({ a: value }))).toEqual(new Refused('must give a a string value'));
  });

  it('refuses a value that is nested too deeply to be shown', () => {
    const text = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(read(text)).toEqual(new Refused('must give a a string value'));
  });

  it('refuses names that differ only in case', () => {
    expect(problemsOf(read, 'X-A', 'x-a')).toEqual(['must not set x-a twice']);
  });

  it('refuses names that servers take for one', () => {
    expect(problemsOf(read, 'X-A', 'x_a')).toEqual([
      'must not set both x-a and x_a, which many servers take for one',
    ]);
  });
});

describe('a credential', () => {
  it.each([
    'Authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'x_api_key',
    'proxy-authorization',
  ])('is refused in HEADERS, with advice and without its value: %s', (name) => {
    expect(problemsOf(rules.headers, 'x-zone', name)).toEqual([
      `must not set ${name.toLowerCase()}, which names a credential: use REQUEST_HEADERS (on ` +
        'requests to the API only) or RESPONSE_HEADERS (on responses only)',
    ]);
  });

  it.each(['Authorization', 'cookie', 'x-api-key', 'x-auth-token', 'proxy-authorization'])(
    'is accepted in REQUEST_HEADERS: %s',
    (name) => {
      expect(rules.requestHeaders(JSON.stringify({ [name]: 'a' }))).toEqual([
        [name.toLowerCase(), 'a'],
      ]);
    },
  );

  it.each(['Set-Cookie', 'x-api-key', 'x-auth-token'])(
    'is accepted in RESPONSE_HEADERS: %s',
    (name) => {
      expect(rules.responseHeaders(JSON.stringify({ [name]: 'a' }))).toEqual([
        [name.toLowerCase(), 'a'],
      ]);
    },
  );

  it.each(['authorization', 'Cookie', 'proxy-authorization'])(
    'for an API is refused in RESPONSE_HEADERS, which would show it to clients: %s',
    (name) => {
      expect(problemsOf(rules.responseHeaders, name)).toEqual([
        `must not set ${name.toLowerCase()}, a field of requests: use REQUEST_HEADERS`,
      ]);
    },
  );

  it.each(['Set-Cookie', 'set_cookie'])('for clients is refused in REQUEST_HEADERS: %s', (name) => {
    expect(problemsOf(rules.requestHeaders, name)).toEqual([
      `must not set ${name.toLowerCase()}, a field of responses: use RESPONSE_HEADERS`,
    ]);
  });
});
