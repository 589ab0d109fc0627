import { expect, it } from 'vitest';
import { headerFields } from './headers.js';
import { Refused } from './rule.js';

it('lower-cases the names and keeps the order', () => {
  expect(headerFields('{"X-Zone":"eu","Authorization":"Basic a","a":""}')).toEqual([
    ['x-zone', 'eu'],
    ['authorization', 'Basic a'],
    ['a', ''],
  ]);
});

it('accepts every byte that a field value may contain', () => {
  const value = '\t !~\u0080ÿ';
  expect(headerFields(JSON.stringify({ a: value }))).toEqual([['a', value]]);
});

it('treats a name with a special meaning in JavaScript like any other', () => {
  expect(headerFields('{"__proto__":"a","constructor":"b"}')).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
});

it.each(['', 'x', '{', 'null', '1', '"a"', '[]', '["a"]', '[['.repeat(50_000)])(
  'refuses a text that is not a JSON object: %.20s',
  (text) => {
    expect(headerFields(text)).toBeInstanceOf(Refused);
  },
);

it.each([
  ...['connection', 'Keep-Alive', 'proxy-connection', 'Proxy-Authenticate', 'proxy-authorization'],
  ...['TE', 'trailer', 'Transfer-Encoding', 'upgrade', 'Expect', 'HOST'],
  ...['Content-Length', 'content-type', 'content-', 'X-MTE-Relay', 'x-mte-anything'],
])('refuses to set %s', (name) => {
  const refused = headerFields(JSON.stringify({ [name]: 'a' })) as Refused;
  expect(refused.problems).toEqual([`must not set ${name.toLowerCase()}`]);
});

it.each(['', 'a b', 'a:', 'a\n', 'é', 'a(b)'])('refuses the name %j', (name) => {
  const refused = headerFields(JSON.stringify({ ok: 'a', [name]: 'a' })) as Refused;
  expect(refused.problems).toEqual(['entry 2 must have an HTTP field name']);
});

it.each(['a\nb', 'a\r', '\u0000', '\u007f', 'Ā', '😀'])('refuses the value %j', (value) => {
  expect(headerFields(JSON.stringify({ a: value }))).toBeInstanceOf(Refused);
});

it.each([1, true, null, ['a'], { b: 'c' }])('refuses %j as a value', (value) => {
  expect(headerFields(JSON.stringify({ a: value }))).toBeInstanceOf(Refused);
});

it('refuses names that differ only in case', () => {
  const refused = headerFields('{"X-A":"1","x-a":"2"}') as Refused;
  expect(refused.problems).toEqual(['must not set x-a twice']);
});
