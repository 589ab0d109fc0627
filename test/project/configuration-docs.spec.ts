import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConfigInvalidError,
  DOCUMENTED_PLACEHOLDERS,
  ENVIRONMENT_VARIABLES,
  loadConfig,
  RelayConfig,
} from '@relay/config';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const variables = Object.values(ENVIRONMENT_VARIABLES).sort();

const required = (() => {
  try {
    loadConfig({});
    return [];
  } catch (error) {
    return (error as ConfigInvalidError).problems.map((line) => line.split(' ')[0]!).sort();
  }
})();

/** The `NAME=value` lines. A commented line is optional and shows the default. */
const example = [...read('.env.example').matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(
  ([, comment, name, value]) => ({
    name: name!,
    value: value!,
    isCommented: comment !== undefined,
  }),
);

const table = [
  ...read('docs/configuration.md').matchAll(/^\| `([A-Z_]+)` *\| (\w+) *\|([^|]*)\| (.+) \|$/gm),
].map(([, name, isRequired, value, rule]) => ({
  name: name!,
  isRequired: isRequired!,
  value: value!.trim().replaceAll('`', ''),
  rule: rule!.trim(),
}));

const named = (entries: readonly { name: string }[]) => entries.map(({ name }) => name).sort();

describe('every configuration variable', () => {
  it('belongs to a property of RelayConfig, and vice versa', () => {
    expect([...Object.keys(ENVIRONMENT_VARIABLES), 'directory'].sort()).toEqual(
      Object.keys(new RelayConfig()).sort(),
    );
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('is in .env.example once, and vice versa', () => {
    expect(named(example)).toEqual(variables);
  });

  it('is in the table of docs/configuration.md once, with a rule, and vice versa', () => {
    expect(named(table)).toEqual(variables);
    expect(table.filter(({ rule }) => rule === '')).toEqual([]);
  });

  it('is marked as required if, and only if, the relay does not start without it', () => {
    expect(required).not.toEqual([]);
    expect(named(example.filter(({ isCommented }) => !isCommented))).toEqual(required);
    expect(named(table.filter(({ isRequired }) => isRequired === 'yes'))).toEqual(required);
  });

  it('has the same default in the class, in .env.example and in the table', () => {
    const toEnvironment = (entries: typeof example) =>
      Object.fromEntries(entries.map(({ name, value }) => [name, value]));
    const withDefaults = loadConfig(toEnvironment(example)).config;
    const without = loadConfig(toEnvironment(example.filter((entry) => !entry.isCommented))).config;
    expect(withDefaults).toEqual(without);

    const optional = example.filter(({ isCommented }) => isCommented);
    expect(Object.fromEntries(table.map(({ name, value }) => [name, value]))).toMatchObject(
      toEnvironment(optional),
    );
  });

  it('shows the default of the class in .env.example', () => {
    const defaults = new RelayConfig();
    const shown = new Map(example.map(({ name, value }) => [name, value]));
    for (const [property, name] of Object.entries(ENVIRONMENT_VARIABLES)) {
      const value: unknown = defaults[property as keyof RelayConfig];
      if (typeof value === 'number' || typeof value === 'boolean') {
        expect(shown.get(name)).toBe(String(value));
      }
    }
  });
});

describe('a placeholder in the documentation', () => {
  const documents = [
    '.env.example',
    'README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ].filter((path) => existsSync(join(root, path)));

  it.each(documents)('is refused as a secret or token in production (%s)', (path) => {
    const placeholder =
      /(?:CLIENT_ID_SECRET|OUTBOUND_TOKEN|x-mte-outbound-token)(?:_ALT)?[=:]\W*(YOUR\w+)/gi;
    for (const [, text] of read(path).matchAll(placeholder)) {
      expect(DOCUMENTED_PLACEHOLDERS).toContain(text!.toUpperCase());
    }
  });

  it('makes an unchanged .env.example invalid in production', () => {
    const environment = Object.fromEntries(example.map(({ name, value }) => [name, value]));
    expect(() => loadConfig({ ...environment, NODE_ENV: 'production' })).toThrow(
      expect.objectContaining({
        problems: [
          expect.stringMatching(/^CLIENT_ID_SECRET must not be a documented placeholder/),
          expect.stringMatching(/^OUTBOUND_TOKEN must not be a documented placeholder/),
        ],
      }),
    );
  });
});
