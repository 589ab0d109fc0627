import { ENVIRONMENT_VARIABLES as names } from '../environment-variables.js';
import { FILE_VARIABLES } from '../secret-files.js';
import { editDistance } from './edit-distance.js';
import { isForeign } from './foreign-variables.js';

/** A variable that looks like one of the relay's, and is none. */
export interface UnknownVariable {
  readonly name: string;
  /** The variable that was probably meant. */
  readonly meant: string | undefined;
}

/** Shorter ones first, since a longer one with the same words says more than was typed. */
const OURS: readonly string[] = [
  ...Object.values(names),
  ...FILE_VARIABLES.map((name) => `${name}_FILE`),
].sort((one, other) => one.length - other.length);
const KNOWN: ReadonlySet<string> = new Set(OURS);

const PREFIXES = [
  ...['MTE_', 'RELAY_', 'OUTBOUND_', 'CLIENT_ID', 'PASS_THROUGH_'],
  ...['REDIS_', 'SESSION_', 'TLS_', 'UPSTREAM_', 'ADMIN_', 'SHUTDOWN_', 'MAX_', 'PEER_'],
];

/** Without them, something is open that they would have closed; so a mistyped one must not go unnoticed. */
const CLOSING: readonly string[] = [
  names.mteRoutes,
  names.passThroughRoutes,
  names.relayAudience,
  names.outboundAllowedUpstreams,
];

/** Other characters do not occur in names of variables that people type, and would not be safe in a log. */
const PLAIN_NAME = /^[A-Za-z_][\w.-]{0,99}$/;

/** HOST, PORT and DEBUG resemble too much: POST, PORTS, HOSTS. So do names of medium length with two differences. */
const mostDifferences = (ours: string): number => (ours.length < 7 ? -1 : ours.length < 9 ? 1 : 2);

const closest = (typed: string): string | undefined => {
  const [first] = OURS.filter(
    (ours) => Math.abs(ours.length - typed.length) <= mostDifferences(ours),
  )
    .map((ours) => ({ ours, distance: editDistance(typed, ours) }))
    .filter(({ ours, distance }) => distance <= mostDifferences(ours))
    .sort((one, other) => one.distance - other.distance);
  return first?.ours;
};

/** The words of a name, in the singular. */
const wordsOf = (name: string): ReadonlySet<string> =>
  new Set(name.split('_').map((word) => word.replace(/S$/, '')));

/** Whether one name has all words of the other, and at least two: MTE_ROUTES_FILE, ALLOWED_UPSTREAMS. */
const haveSameWords = (one: string, other: string): boolean => {
  const [few = new Set(), many = new Set()] = [wordsOf(one), wordsOf(other)].sort(
    (first, second) => first.size - second.size,
  );
  return few.size > 1 && [...few].every((word) => many.has(word));
};

/**
 * Returns the variables that somebody probably set for the relay, but which it does not know: up to two typing errors
 * away from one of ours (`LOGLEVEL`, `mte_routes`), made of the words of one that closes something, or with one of our
 * prefixes. An empty variable counts as unset. Variables of other programs are left out as far as they can be told.
 */
export function unknownVariables(environment: NodeJS.ProcessEnv): UnknownVariable[] {
  return Object.keys(environment)
    .filter((name) => PLAIN_NAME.test(name) && !KNOWN.has(name) && (environment[name] ?? '') !== '')
    .filter((name) => !isForeign(name, environment))
    .sort()
    .flatMap((name) => {
      const typed = name.toUpperCase().replaceAll(/[-.]/g, '_');
      const hasPrefix = PREFIXES.some((prefix) => name.startsWith(prefix));
      const candidates = hasPrefix ? [...CLOSING, ...OURS] : CLOSING;
      const meant = closest(typed) ?? candidates.find((ours) => haveSameWords(typed, ours));
      return meant !== undefined || hasPrefix ? [{ name, meant }] : [];
    });
}

/** Whether a variable that is missing leaves something open. */
export function isClosing(name: string): boolean {
  return CLOSING.includes(name);
}
