import { isLoopback } from '@relay/fields';

import { ENVIRONMENT_VARIABLES as names } from './environment-variables.js';
import type { RelayConfig } from './relay-config.js';
import { weaknessesOf } from './directory/domain-rules.js';
import { weaknessOf } from './rules/secrets.js';

const CREDENTIALS = [
  'clientIdSecret',
  'clientIdSecretAlt',
  'outboundToken',
  'outboundTokenAlt',
  'adminToken',
] as const;

const weaknesses = (config: RelayConfig): string[] => [
  ...CREDENTIALS.flatMap((property) => {
    const value = config[property];
    const weakness = value === undefined ? undefined : weaknessOf(value);
    return weakness === undefined ? [] : [`${names[property]} ${weakness}`];
  }),
  ...weaknessesOf(config.domainMap ?? []).map((line) => `${names.domainMap} ${line}`),
];

const warningsOfAdmin = (config: RelayConfig): string[] => {
  const { adminPort, adminHost, adminToken } = config;
  if (adminToken === undefined) {
    return adminPort === undefined || isLoopback(adminHost)
      ? []
      : [
          `${names.adminToken} is not set: whoever reaches ${names.adminPort} can see the page and the metrics of this relay`,
        ];
  }
  const same = (['outboundToken', 'clientIdSecret'] as const).filter(
    (property) => config[property] === adminToken,
  );
  return [
    ...same.map(
      (property) =>
        `${names.adminToken} equals ${names[property]}: whoever holds one can do what the other allows`,
    ),
    ...(adminPort === undefined
      ? [`${names.adminToken} has no effect, because ${names.adminPort} is not set`]
      : []),
  ];
};

const warningsOfTraces = (config: RelayConfig): string[] => {
  const { tracesUrl, otelTracesRatio, otelTracesSampler } = config;
  const isIgnored = otelTracesRatio !== 1 && !otelTracesSampler.endsWith('traceidratio');
  return tracesUrl !== undefined && isIgnored
    ? [
        `${names.otelTracesRatio} has no effect with ${names.otelTracesSampler}=${otelTracesSampler}: name a sampler by ratio`,
      ]
    : [];
};

/** Returns what an operator should fix although the relay starts: one line each, which never shows a value. */
export function warningsOf(config: RelayConfig): readonly string[] {
  const warnings = weaknesses(config);
  const { clientIdSecret, clientIdSecretAlt, outboundToken, outboundTokenAlt } = config;
  if (clientIdSecretAlt !== undefined && clientIdSecretAlt === clientIdSecret) {
    warnings.push(`${names.clientIdSecretAlt} equals ${names.clientIdSecret}: nothing rotates`);
  }
  if (outboundTokenAlt !== undefined && outboundTokenAlt === outboundToken) {
    warnings.push(`${names.outboundTokenAlt} equals ${names.outboundToken}: nothing rotates`);
  }
  if (outboundToken !== undefined && outboundToken === clientIdSecret) {
    warnings.push(
      `${names.outboundToken} equals ${names.clientIdSecret}: every client can then act as a relay`,
    );
  }
  warnings.push(...warningsOfAdmin(config), ...warningsOfTraces(config));
  const namesPeers = config.directory.peers.some(
    ({ reach }) => reach.kind === 'named' && reach.allowed === undefined,
  );
  if (namesPeers && config.directory.clients.length > 0) {
    warnings.push(
      `${names.outboundAllowedUpstreams} is not set: a client with the token may name any host as peer`,
    );
  }
  if (config.upstream !== undefined && config.relayAudience === undefined) {
    warnings.push(
      `${names.relayAudience} is not set: this relay accepts what was meant for any holder of the secret`,
    );
  }
  return warnings;
}
