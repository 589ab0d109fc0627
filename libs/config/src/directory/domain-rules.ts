import { ValidateBy } from 'class-validator';

import type { Domain } from './domain-map.js';
import { isProduction } from '../rules/production.js';
import { weaknessOf } from '../rules/secrets.js';

/** What the rules between `DOMAIN_MAP` and other variables look at. */
interface Surroundings {
  readonly domainMap?: unknown;
  readonly upstream?: unknown;
  readonly relayAudience?: unknown;
  readonly clientIdSecret?: unknown;
  readonly clientIdSecretAlt?: unknown;
  readonly outboundToken?: unknown;
  readonly outboundTokenAlt?: unknown;
  readonly nodeEnv?: unknown;
}

const isRead = (value: unknown): value is readonly Domain[] => Array.isArray(value);

/** Returns why the secrets and tokens of a `DOMAIN_MAP` are too easy to guess, one line each. */
export function weaknessesOf(domains: readonly Domain[]): string[] {
  return domains.flatMap(({ host, clientIdSecret, outboundToken }) =>
    Object.entries({ clientIdSecret, outboundToken }).flatMap(([key, value]) => {
      const weakness = value === undefined ? undefined : weaknessOf(value);
      return weakness === undefined ? [] : [`["${host}"].${key} ${weakness}`];
    }),
  );
}

/** A token means one client, which signs with one secret. */
const ambiguousTokens = (domains: readonly Domain[], around: Surroundings): string[] => {
  const secrets = new Map<unknown, unknown>([
    [around.outboundToken, around.clientIdSecret],
    [around.outboundTokenAlt, around.clientIdSecret],
  ]);
  return domains.flatMap(({ host, outboundToken, clientIdSecret = around.clientIdSecret }) => {
    if (outboundToken === undefined) {
      return [];
    }
    const isAmbiguous = secrets.has(outboundToken) && secrets.get(outboundToken) !== clientIdSecret;
    secrets.set(outboundToken, clientIdSecret);
    return isAmbiguous
      ? [`["${host}"].outboundToken must not be a token that belongs to another secret too`]
      : [];
  });
};

const problemsOf = (domains: readonly Domain[], around: Surroundings): string[] => {
  const problems: string[] = [];
  if (around.upstream !== undefined) {
    problems.push('must not be set together with UPSTREAM: add its host, or "*"');
  }
  if (around.relayAudience !== undefined) {
    problems.push('must not be set together with RELAY_AUDIENCE: its hosts are the audiences');
  }
  if (around.clientIdSecret === undefined) {
    problems.push(
      ...domains
        .filter(({ clientIdSecret }) => clientIdSecret === undefined)
        .map(({ host }) => `["${host}"] needs a clientIdSecret, or CLIENT_ID_SECRET`),
    );
    if (around.outboundToken !== undefined) {
      problems.push(
        'needs CLIENT_ID_SECRET for the clients with OUTBOUND_TOKEN: it signs for them',
      );
    }
  }
  for (const { host, clientIdSecret } of domains) {
    if (clientIdSecret !== undefined && clientIdSecret === around.clientIdSecretAlt) {
      problems.push(`["${host}"].clientIdSecret must not be CLIENT_ID_SECRET_ALT`);
    }
  }
  problems.push(...ambiguousTokens(domains, around));
  if (isProduction(String(around.nodeEnv))) {
    problems.push(...weaknessesOf(domains).map((line) => `${line} (NODE_ENV is production)`));
  }
  return problems;
};

/** Refuses a `DOMAIN_MAP` that does not fit the other variables, or that has weak secrets in production. */
export function FitsVariables(): PropertyDecorator {
  return ValidateBy({
    name: 'fitsVariables',
    validator: {
      // What cannot be read is reported elsewhere.
      validate: (value, args) =>
        !isRead(value) || problemsOf(value, args?.object as Surroundings).length === 0,
      defaultMessage: (args) =>
        isRead(args?.value) ? problemsOf(args.value, args.object).join('\n') : '',
    },
  });
}
