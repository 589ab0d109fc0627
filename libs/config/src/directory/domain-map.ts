import { route } from '../rules/routes.js';
import { Refused } from '../rules/rule.js';
import { secret, token } from '../rules/secrets.js';
import { baseUrl, origin } from '../rules/url.js';
import { list, Optional, text, Value } from './file/keys.js';
import { Problems } from './file/problems.js';
import { readEntry } from './file/read-entry.js';
import { isMapping, type Plain } from './file/yaml-text.js';

/** The host that stands for all that `DOMAIN_MAP` does not name. */
export const EVERY_OTHER_HOST = '*';

class DomainInMap {
  @Value(text(baseUrl))
  readonly upstream!: string;

  @Optional()
  @Value(list(text(origin)))
  readonly corsOrigins?: readonly string[];

  @Optional()
  @Value(text(secret))
  readonly clientIdSecret?: string;

  @Optional()
  @Value(text(token))
  readonly outboundToken?: string;

  @Optional()
  @Value(list(text(route)))
  readonly passThroughRoutes?: readonly string[];
}

/** One entry of `DOMAIN_MAP`. */
export interface Domain extends Readonly<Partial<DomainInMap>> {
  /** `host` or `host:port` in normal form, or `*`. */
  readonly host: string;
  readonly upstream: string;
}

/** The origins by which peers reach a host. */
export function originsOf(host: string): readonly string[] {
  return ['https', 'http'].map((scheme) => new URL(`${scheme}://${host}`).origin);
}

/** The host in lower case and punycode; undefined if it is none. A port that is stated stays, even 443. */
const normalHost = (key: string): string | undefined => {
  if (key === EVERY_OTHER_HOST) {
    return key;
  }
  const isHost = !key.includes('/') && !(origin(`https://${key}`) instanceof Refused);
  return isHost
    ? `${new URL(`https://${key}`).hostname}${/:\d+$/.exec(key)?.[0] ?? ''}`
    : undefined;
};

const parse = (json: string): Plain | undefined => {
  try {
    return JSON.parse(json) as Plain;
  } catch {
    // The parser's message quotes the text, which contains secrets.
    return undefined;
  }
};

/** `client_id_secret` as `clientIdSecret`. A key in both spellings is refused. */
const inCamelCase = (entry: Plain, host: string, problems: Problems): Plain => {
  if (!isMapping(entry)) {
    return entry;
  }
  const renamed = Object.entries(entry).map(
    ([key, value]) =>
      [key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value] as const,
  );
  const keys = new Set(renamed.map(([key]) => key));
  if (keys.size < renamed.length) {
    problems.add([host], 'has a key in two spellings');
  }
  return Object.fromEntries(renamed);
};

/** Reads `DOMAIN_MAP`: a JSON object by host, as the commercial relay has it. */
export function domainMap(json: string): readonly Domain[] | Refused {
  const content = parse(json);
  if (!isMapping(content) || Object.keys(content).length === 0) {
    return new Refused('must be a JSON object with at least one host');
  }
  const problems = new Problems(
    () => '',
    () => 1,
  );
  const taken = new Set<string>();
  const domains = Object.entries(content).flatMap(([key, value], index) => {
    const host = normalHost(key);
    const names = host === undefined || host === EVERY_OTHER_HOST ? [key] : originsOf(host);
    if (host === undefined || names.some((name) => taken.has(name))) {
      // What stands in the place of a host may be a secret.
      problems.addAt(
        1,
        `entry ${index + 1} must ${host === undefined ? 'have a host[:port] or "*" as key' : 'be the only one of its host'}`,
      );
      return [];
    }
    names.forEach((name) => taken.add(name));
    const domain = readEntry(DomainInMap, inCamelCase(value, host, problems), [host], problems);
    return [{ ...domain, host, upstream: domain?.upstream ?? '' }];
  });
  return problems.errors.length > 0 ? new Refused(...problems.errors) : domains;
}
