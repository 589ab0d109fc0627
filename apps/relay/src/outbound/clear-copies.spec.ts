import { describe, expect, it } from 'vitest';

import { HOP_BY_HOP_FIELDS } from '@relay/fields';
import { forwardedFields, type RequestHead } from '@relay/protocol';

import { clearCopies, outerPath } from './clear-copies.js';
import type { EncodeOptions } from './encode-options.js';

const sealed: EncodeOptions = { type: 'mke', isPathSealed: true, sealedFields: true };

const head = (fields: readonly string[], path = '/'): RequestHead => ({
  method: 'GET',
  scheme: 'http',
  authority: 'api.example.com',
  path,
  fields: [...fields],
});

describe('the fields that are copied in plaintext', () => {
  const fields = ['x-one', '1', 'x-two', '2', 'x-one', '3', 'accept', '*/*'];

  it('are none if all are to be sealed', () => {
    expect(clearCopies(head(fields), sealed)).toEqual([]);
  });

  it('are all if none is to be sealed, in order and with repetitions', () => {
    expect(clearCopies(head(fields), { ...sealed, sealedFields: false })).toEqual(fields);
  });

  it('have neither the address nor the name of the client, which are for relays', () => {
    const described = ['x-mte-client-address', '192.0.2.1', 'a', '1', 'x-mte-client', 'billing'];
    expect(clearCopies(head(described), { ...sealed, sealedFields: false })).toEqual(['a', '1']);
  });

  it('are the remaining ones if some are named for sealing', () => {
    const options = { ...sealed, sealedFields: new Set(['x-one']) };
    expect(clearCopies(head(fields), options)).toEqual(['x-two', '2', 'accept', '*/*']);
  });

  it('are all if no field has the name that is given for sealing', () => {
    const options = { ...sealed, sealedFields: new Set(['x-other']) };
    expect(clearCopies(head(fields), options)).toEqual(fields);
  });

  it.each([
    'authorization',
    'cookie',
    'proxy-authorization',
    'accept-encoding',
    'content-type',
    'content-length',
    'content-encoding',
    'content-anything',
  ])('never include %s', (name) => {
    for (const sealedFields of [false, new Set(['x-other'])]) {
      expect(clearCopies(head([name, 'x']), { ...sealed, sealedFields })).toEqual([]);
    }
  });

  it.each(['host', 'expect', 'x-mte-upstream', 'x-mte-outbound-token', ...HOP_BY_HOP_FIELDS])(
    'never include %s, which is removed from the head',
    (name) => {
      const forwarded = head(forwardedFields([name, 'x']));
      expect(clearCopies(forwarded, { ...sealed, sealedFields: false })).toEqual([]);
    },
  );

  it('can be changed without changing the head', () => {
    const request = head(fields);
    clearCopies(request, { ...sealed, sealedFields: false }).push('x-new', '1');
    expect(request.fields).toEqual(fields);
  });

  it('are none if they exceed 8 KiB, names and values together', () => {
    const options = { ...sealed, sealedFields: false };
    const exact = ['x-a', 'x'.repeat(8_192 - 6), 'y', '12'];
    expect(clearCopies(head(exact), options)).toEqual(exact);
    const over = ['x-a', 'x'.repeat(8_192 - 6), 'y', '123'];
    expect(clearCopies(head(over), options)).toEqual([]);
  });

  it('are limited in size without counting the fields that are not copied', () => {
    const large = ['cookie', 'x'.repeat(10_000), 'x-secret', 'x'.repeat(10_000), 'x-one', '1'];
    const options = { ...sealed, sealedFields: new Set(['x-secret']) };
    expect(clearCopies(head(large), options)).toEqual(['x-one', '1']);
  });
});

describe('the path of the outer request', () => {
  const shown: EncodeOptions = { ...sealed, isPathSealed: false };

  it('is the fixed tunnel path if the path is to be sealed', () => {
    expect(outerPath(head([], '/secret?x=1'), sealed)).toBe('/api/mte-tunnel');
  });

  it.each(['/', '/a/b?x=1', '/api/other', '/api/mte'])('is %s if the path may be shown', (path) => {
    expect(outerPath(head([], path), shown)).toBe(path);
  });

  it.each(['/api/mte-tunnel', '/api/mte-pair', '/api/mte-relay?x', '/API/MTE-pair', '/api/mte-'])(
    'is never a path of the relays themselves: %s',
    (path) => {
      expect(outerPath(head([], path), shown)).toBe('/api/mte-tunnel');
    },
  );
});
