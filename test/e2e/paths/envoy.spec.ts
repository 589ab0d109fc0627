import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { envoyProblems, hasEnvoySchema } from '../../support/assertions/envoy-schema.js';
import { documentedBlock } from '../../support/network/documented-blocks.js';

describe.skipIf(!hasEnvoySchema())('docs/deployment.md, Envoy', () => {
  const block = documentedBlock('Envoy', 'yaml');

  it('is valid by the schema that Envoy publishes', () => {
    expect(envoyProblems(parse(block))).toEqual([]);
  });

  it.each([
    ['request_timeout: 0s', 'request_time_out: 0s', 'request_time_out is unknown'],
    ['connect_timeout: 5s', 'connect_timeout: 5', 'connect_timeout is no duration'],
    ['type: STRICT_DNS', 'type: STRICT', 'type is no DiscoveryType'],
    ['port_value: 8080', "port_value: '8080'", 'port_value is no uint32'],
  ])('would not be valid with another %s', (right, wrong, problem) => {
    expect(envoyProblems(parse(block.replace(right, wrong)))).toContainEqual(
      expect.stringContaining(problem),
    );
  });
});
