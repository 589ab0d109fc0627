import { describe, expect, it } from 'vitest';

import { withClientName } from './client-name.js';
import type { Requester } from './upstream-fields.js';

const FIELD = 'x-client';
const SENT = ['a', '1', 'x_client', 'forged', FIELD, 'forged', 'x.client', 'forged', 'b', '2'];

const told = (name: readonly string[], field: string | undefined, requester: Requester = 'peer') =>
  withClientName(
    SENT,
    { method: 'GET', scheme: 'http', authority: '', path: '/', fields: [...SENT, ...name] },
    field,
    requester,
  );

describe('the field with the name of the client', () => {
  it('has the name that was sealed, and no namesake', () => {
    expect(told(['x-mte-client', 'billing'], FIELD)).toEqual([
      ...['a', '1', 'b', '2', FIELD, 'billing'],
    ]);
  });

  it('may itself be called x-mte-client', () => {
    expect(told(['x-mte-client', 'billing'], 'x-mte-client')).toEqual([
      ...SENT,
      ...['x-mte-client', 'billing'],
    ]);
  });

  it('is missing if no name was sealed, and so are its namesakes', () => {
    expect(told([], FIELD)).toEqual(['a', '1', 'b', '2']);
  });

  it('is missing for anybody, whatever anybody sends', () => {
    expect(told(['x-mte-client', 'forged'], FIELD, 'anybody')).toEqual(['a', '1', 'b', '2']);
  });

  it('is none if the API is not told', () => {
    expect(told(['x-mte-client', 'billing'], undefined)).toEqual(SENT);
  });
});
