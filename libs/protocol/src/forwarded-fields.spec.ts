import { describe, expect, it } from 'vitest';

import { HOP_BY_HOP_FIELDS, fieldValue, withReplacedFields, withoutFields } from '@relay/fields';

import { forwardedFields } from './forwarded-fields.js';

describe('the fields that are forwarded', () => {
  it('are all end-to-end fields, in order, with repeats, values unchanged', () => {
    const raw = ['B', '2', 'A', '1', 'b', ' 3 ', 'A', '', 'Set-Cookie', 'a=1, b=2'];
    expect(forwardedFields(raw)).toEqual([
      ...['b', '2', 'a', '1', 'b', ' 3 ', 'a', '', 'set-cookie', 'a=1, b=2'],
    ]);
  });

  it('are octet for octet what undici reports as buffers', () => {
    const raw = [Buffer.from('X-Name'), Buffer.from([0x61, 0xe9, 0xff, 0x09])];
    expect(forwardedFields(raw)).toEqual(['x-name', 'a\xe9\xff\t']);
  });

  it('are none if there are none', () => {
    expect(forwardedFields([])).toEqual([]);
  });

  it.each([...HOP_BY_HOP_FIELDS, 'host', 'expect'])('do not include %s, in any case', (name) => {
    const raw = [name, 'x', 'kept', '1', name.toUpperCase(), 'y'];
    expect(forwardedFields(raw)).toEqual(['kept', '1']);
  });

  it.each(['x-mte-relay', 'X-MTE-Outbound-Token', 'x-mte-', 'x-mte-anything-to-come'])(
    'do not include %s',
    (name) => {
      expect(forwardedFields([name, 'x', 'x-mteor', '1'])).toEqual(['x-mteor', '1']);
    },
  );

  it('belong to the caller', () => {
    const raw = ['a', '1'];
    forwardedFields(raw).push('b', '2');
    expect(raw).toEqual(['a', '1']);
  });
});

describe('a connection field', () => {
  it.each([
    ['names a field', ['connection', 'a']],
    ['names it in another case', ['Connection', 'A']],
    ['names it among others', ['connection', 'close, x ,a,, keep-alive']],
    ['names it with spaces and tabs', ['connection', ' \ta\t ']],
    ['names it on its second line', ['connection', 'close', 'CONNECTION', 'a']],
  ])('that %s removes it, before or after itself', (_how, lines) => {
    expect(forwardedFields(['A', '1', ...lines, 'a', '2', 'ab', '3'])).toEqual(['ab', '3']);
  });

  it('cannot remove the length of the body', () => {
    for (const value of ['content-length', 'Content-Length', 'close, content-length']) {
      expect(forwardedFields(['connection', value, 'content-length', '5'])).toEqual([
        'content-length',
        '5',
      ]);
    }
  });

  it('that names x-mte fields or host changes nothing: they have been removed already', () => {
    const raw = ['connection', 'x-mte-relay, host', 'x-mte-relay', '1', 'host', 'h', 'a', '1'];
    expect(forwardedFields(raw)).toEqual(['a', '1']);
  });

  it('does not remove fields that are set afterwards', () => {
    const fields = forwardedFields(['connection', 'x-own', 'x-own', 'theirs']);
    expect(withReplacedFields(fields, [['x-own', 'ours']])).toEqual(['x-own', 'ours']);
  });

  it('with nothing but its usual options removes nothing', () => {
    expect(forwardedFields(['connection', 'keep-alive, close', 'a', '1'])).toEqual(['a', '1']);
    expect(forwardedFields(['connection', '', 'a', '1'])).toEqual(['a', '1']);
  });
});

describe('replaced fields', () => {
  it('take the place of every line of their name; the others keep their order', () => {
    const fields = ['a', '1', 'b', '2', 'a', '3', 'c', '4'];
    expect(
      withReplacedFields(fields, [
        ['a', 'x'],
        ['d', 'y'],
      ]),
    ).toEqual(['b', '2', 'c', '4', 'a', 'x', 'd', 'y']);
  });

  it('may have several values', () => {
    expect(
      withReplacedFields(
        ['a', '1'],
        [
          ['a', '2'],
          ['a', '3'],
        ],
      ),
    ).toEqual(['a', '2', 'a', '3']);
  });

  it('of an empty list change nothing', () => {
    const fields = ['a', '1'];
    expect(withReplacedFields(fields, [])).toEqual(['a', '1']);
  });

  it('leave the given array as it was', () => {
    const fields = ['a', '1'];
    withReplacedFields(fields, [['a', '2']]);
    expect(fields).toEqual(['a', '1']);
  });
});

describe('a field', () => {
  it('is found by its first line', () => {
    expect(fieldValue(['b', 'a', 'a', '1', 'a', '2'], 'a')).toBe('1');
  });

  it('is not found by a value that equals its name', () => {
    expect(fieldValue(['b', 'a'], 'a')).toBeUndefined();
  });

  it('is dropped with all its lines', () => {
    expect(withoutFields(['a', 'b', 'b', '1', 'a', '2'], new Set(['a']))).toEqual(['b', '1']);
  });
});
