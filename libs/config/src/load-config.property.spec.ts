import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigInvalidError } from './config.errors.js';
import { ENVIRONMENT_VARIABLES } from './environment-variables.js';
import { loadConfig } from './load-config.js';
import { RelayConfig } from './relay-config.js';

const numRuns = process.env['SLOW'] === '1' ? 5_000 : 100;
const timeout = 60_000;

const fragment = fc.constantFrom(
  ...['http://', 'https://', 'redis://', 'memory://', '//', '/', '..', '.', '*', ',', '%', '\\'],
  ...['host', ':80', '@', '[::1]', '?', '#', 'true', 'false', '3600', 'info', '{', '}', '"a":"b"'],
  ...['$value', '$property', '__proto__', 'constructor', '\n', '\u0000', '\ud800', 'Ä', ' '],
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.json(),
  fc.webUrl(),
  fc.integer().map(String),
);
const variables = Object.values(ENVIRONMENT_VARIABLES);
const environment = fc.record(Object.fromEntries(variables.map((name) => [name, text])), {
  requiredKeys: [],
});

const REQUIRED = {
  UPSTREAM: 'http://localhost:3000/base',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'token-of-28-characters-long!',
  REDIS_URL: 'memory://',
};

it(
  'an arbitrary environment results in a frozen configuration or in ConfigInvalidError',
  { timeout },
  () => {
    fc.assert(
      fc.property(environment, fc.boolean(), (given, withRequired) => {
        try {
          const { config } = loadConfig(withRequired ? { ...given, ...REQUIRED } : given);
          expect(config).toBeInstanceOf(RelayConfig);
          expect(Object.isFrozen(config)).toBe(true);
        } catch (error) {
          if (!(error instanceof ConfigInvalidError)) {
            throw error;
          }
          expect(error.problems.length).toBeGreaterThan(0);
          for (const line of error.problems) {
            expect(variables).toContain(line.split(' ', 1)[0]);
            expect(line).not.toContain('\n');
          }
        }
      }),
      { numRuns },
    );
  },
);

it(
  'one arbitrary variable among valid ones never causes an error other than ConfigInvalidError',
  { timeout },
  () => {
    fc.assert(
      fc.property(fc.constantFrom(...variables), text, (name, value) => {
        try {
          loadConfig({ ...REQUIRED, [name]: value });
        } catch (error) {
          if (!(error instanceof ConfigInvalidError)) {
            throw error;
          }
          expect(error.problems.every((line) => line.startsWith(`${name} `))).toBe(true);
        }
      }),
      { numRuns },
    );
  },
);
