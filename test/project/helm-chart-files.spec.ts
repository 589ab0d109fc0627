import { ENVIRONMENT_VARIABLES } from '@relay/config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { read } from '../support/assertions/deploy-files.js';

describe('the files of the Helm chart', () => {
  const text = (name: string): string => read(`deploy/helm/mte-api-relay/${name}`);
  const schema = JSON.parse(text('values.schema.json')) as {
    properties: Record<string, { properties?: Record<string, object> }>;
  };
  const known: readonly string[] = Object.values(ENVIRONMENT_VARIABLES);

  it('have the version of the package, as that of the chart and of the relay', () => {
    const { version, appVersion } = parse(text('Chart.yaml')) as Record<string, string>;
    const relay = JSON.parse(read('package.json')) as { version: string };
    expect([version, appVersion]).toEqual([relay.version, relay.version]);
  });

  it('offer every variable of the relay: as a setting of its name, or as a value of their own', () => {
    const settings = Object.keys(schema.properties['settings']!.properties!);
    const templates = ['_environment.tpl', '_secrets.tpl', 'deployment.yaml']
      .map((name) => text(`templates/${name}`))
      .join('');
    const made = known.filter((name) => new RegExp(`\\b${name}\\b`).test(templates));
    // The proxy's URL may have a password, or none.
    expect(settings.filter((name) => made.includes(name))).toEqual(['PEER_PROXY_URL']);
    expect(known.filter((name) => !settings.includes(name) && !made.includes(name))).toEqual([
      // By a directory file, by a Secret under env, and what the image decides.
      'DOMAIN_MAP',
      'REDIS_SENTINEL_PASSWORD',
      'PORT',
      'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
      'NODE_ENV',
    ]);
  });

  it('set and explain only variables that exist', () => {
    const all = ['values.yaml', 'templates/_environment.tpl', 'templates/_secrets.tpl']
      .map(text)
      .join('');
    const named = [...all.matchAll(/\b[A-Z]+_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('state a default for every value', () => {
    const values = parse(text('values.yaml')) as Record<string, object>;
    const names = Object.keys(schema.properties).filter((name) => name !== 'global');
    expect(Object.keys(values).sort()).toEqual(names.sort());
    for (const name of names.filter((one) => !['settings', 'channels'].includes(one))) {
      const parts = Object.keys(schema.properties[name]?.properties ?? {});
      expect(Object.keys(values[name] ?? {}), name).toEqual(expect.arrayContaining(parts));
    }
  });
});
