import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { temporaryFolder } from '../../../../test/support/lifecycle/temporary-folder.js';
import { ConfigInvalidError } from '../config.errors.js';
import { loadConfig } from '../load-config.js';

const numRuns = process.env['SLOW'] === '1' ? 1_000 : 100;
const timeout = 60_000;

const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const INLINE = 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE';
const HASH = 'ab'.repeat(32);

const GOOD = `peers:
  shop: &shop
    origins: [https://shop.example]
    secret: { file: shop }
    transport: auto
    hosts: [shop.example, "*.shop.example:8080"]
    listen: { socket: run/shop.sock, mode: "0660", owner: "1000:1000", client: billing }
  other:
    secret: { env: OTHER }
clients:
  billing:
    tokens:
      - { sha256: "${HASH}", expires: 2027-03-01 }
    peers: [shop]
    limits: { requestsPerSecond: 200 }
tenants:
  https://api.example:
    upstream: https://10.0.0.5:8443
    routes: [/api/*]
    headers: { x-zone: eu }
`;

const piece = fc.constantFrom(
  ...[
    '\n',
    '  ',
    '\t',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '#',
    '&a',
    '*a',
    '*shop',
    '!t',
  ],
  ...['|', '>', '?', '---', '...', '%YAML 1.1', '<<: *shop', '\u0000', '\ud800', '\ufeff', '\r'],
  ...[
    'null',
    'true',
    '-1',
    '1e999',
    '.nan',
    '0x1f',
    '2027-02-30',
    '__proto__: 1',
    'constructor: 1',
  ],
  ...['address: 0.0.0.0:80', 'exposed: true', 'mode: 0660', '"*."', `client: ${INLINE}`],
  ...[`"http://${INLINE}/"`, `"*.${INLINE}"`, `"${INLINE}:99999"`],
  ...[`secret: ${INLINE}`, `{ ${INLINE} }`, `${INLINE}: 1`, `[${INLINE}]`, `"${INLINE}`, INLINE],
);

/** Replaces some octets of the good file, each time by a piece or by nothing. */
const mutated = fc
  .array(fc.tuple(fc.nat(GOOD.length), fc.nat(12), fc.option(piece, { nil: '' })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((edits) =>
    edits.reduce(
      (text, [at, length, inserted]) => text.slice(0, at) + inserted + text.slice(at + length),
      GOOD,
    ),
  );

/** Lines show the names of entries, so whatever stands in a name is one as well. */
const isName = (line: string): boolean =>
  new RegExp(`(?:(?:peers|clients)[.]|tenants\\["|did you mean )\\S*${INLINE}`).test(line);

it(
  'a file that was changed at random is loaded or refused with lines that show no secret',
  { timeout },
  async () => {
    const folder = forThisTest(await temporaryFolder()).path;
    const path = join(folder, 'relay.yaml');
    writeFileSync(join(folder, 'shop'), SECRET);
    const load = (yaml: string) => {
      writeFileSync(path, yaml);
      return loadConfig({
        REDIS_URL: 'memory://',
        RELAY_CONFIG_FILE: path,
        OTHER: 'V9wJbYx3Qm5RtK8zLp2NsHd7Gf4CaE6u',
      });
    };
    expect(load(GOOD).config.directory.peers).toHaveLength(2);
    fc.assert(
      fc.property(mutated, (yaml) => {
        try {
          expect(Object.isFrozen(load(yaml).config.directory)).toBe(true);
        } catch (error) {
          if (!(error instanceof ConfigInvalidError)) {
            throw error;
          }
          expect(error.problems.length).toBeGreaterThan(0);
          for (const line of error.problems) {
            expect(line).toMatch(/^(?:relay\.yaml:\d+: |RELAY_CONFIG_FILE )/);
            expect(line).not.toContain('\n');
            expect(line).not.toContain(SECRET);
            expect(line.includes(INLINE) && !isName(line)).toBe(false);
          }
        }
      }),
      { numRuns },
    );
  },
);
