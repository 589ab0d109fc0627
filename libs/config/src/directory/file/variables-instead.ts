import { ENVIRONMENT_VARIABLES as names } from '../../environment-variables.js';
import type { Directory } from '../directory.js';

/** The variables that say the same as each part of a file. */
const VARIABLES: { readonly [Part in keyof Directory]: readonly string[] } = {
  peers: [
    names.clientIdSecret,
    names.clientIdSecretAlt,
    names.outboundAllowedUpstreams,
    names.domainMap,
  ],
  clients: [names.outboundToken, names.outboundTokenAlt, names.domainMap],
  tenants: [
    ...[names.upstream, names.upstreamHost, names.relayAudience, names.mteRoutes],
    ...[names.passThroughRoutes, names.corsOrigins, names.domainMap],
  ],
};

/** Returns the variables that are set although the file has the part that they stand for. */
export function variablesInstead(
  part: keyof Directory,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  return VARIABLES[part].filter((name) => (environment[name] ?? '') !== '');
}
