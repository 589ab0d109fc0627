import { expect, it } from 'vitest';

import { shownIntermediaries } from './intermediaries.js';

it('fields beyond the tenth are counted, not named', () => {
  const names = Array.from({ length: 12 }, (_, at) => `x-field-${at}`);
  const shown = shownIntermediaries(Object.fromEntries(names.map((name) => [name, 'v'])));
  expect(shown).toBe(`further fields: ${names.slice(0, 10).join(', ')} and 2 more`);
});
