import { beforeAll, describe, expect, it } from 'vitest';

import type { NameValue } from '../support/assertions/deploy-files.js';
import { hasHelm, only, ran, rendered, type Values } from '../support/assertions/helm-chart.js';
import { manifestsOf, type Manifest } from '../support/assertions/kubernetes-schemas.js';

const SECRETS = { existing: 'mte-api-relay-secret' };
const SIDES: readonly (readonly [string, Values])[] = [
  ['sending', { role: 'send', allowedUpstreams: ['https://relay.example.com'], secrets: SECRETS }],
  [
    'receiving',
    {
      role: 'receive',
      upstream: 'http://api.internal:3000',
      ingress: { enabled: true, hosts: ['relay.example.com'] },
      secrets: { ...SECRETS, keys: { redisUrl: 'redis-url' } },
    },
  ],
];

/** A value without those fields of its objects for which there is a reason. */
const without = <T>(value: T, isLeftOut: (key: string) => boolean): T =>
  JSON.parse(JSON.stringify(value), (key, field: unknown) =>
    isLeftOut(key) ? undefined : field,
  ) as T;

/** A Deployment with its variables in the order of their names, which has no meaning. */
const sorted = (deployment: Manifest): Manifest =>
  JSON.parse(JSON.stringify(deployment), (key, field: unknown) =>
    key === 'env'
      ? (field as NameValue[]).sort((one, other) => one.name.localeCompare(other.name))
      : field,
  ) as Manifest;

/** Helm finds the objects of a release by its own labels, and replaces pods by a checksum of their settings. */
const ofHelm = (key: string): boolean => /^(?:app\.kubernetes\.io|helm\.sh|checksum)\//.test(key);

/** Kustomize writes the namespace, where Helm is told of it, and replaces pods by another name of the settings. */
function ofOverlay(side: string): readonly Manifest[] {
  const { status, stdout } = ran('kubectl', ['kustomize', `deploy/kubernetes/overlays/${side}`]);
  expect(status).toBe(0);
  const text = stdout.replaceAll(/(mte-api-relay-config)-\w+/g, '$1');
  return without(manifestsOf(text), (key) => key === 'namespace').filter(
    ({ kind }) => kind !== 'Namespace',
  );
}

const settingsOf = (manifests: readonly Manifest[]): object =>
  only(manifests, 'ConfigMap')['data'] as object;

describe.skipIf(!hasHelm).each(SIDES)('beside the overlay %s', (side, values) => {
  let chart: readonly Manifest[];
  let overlay: readonly Manifest[];

  beforeAll(() => {
    chart = without(rendered(values), ofHelm);
    overlay = ofOverlay(side);
  });

  const named = (manifests: readonly Manifest[]): readonly string[] =>
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();

  it('the chart makes objects of the same kinds and names', () => {
    expect(named(chart)).toEqual(named(overlay));
  });

  it.each(['HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Service', 'Ingress'])(
    'the chart makes the same %s',
    (kind) => {
      const of = (manifests: readonly Manifest[]) => manifests.filter((one) => one.kind === kind);
      expect(of(chart)).toEqual(of(overlay));
    },
  );

  it('the chart admits and reaches the same', () => {
    const policies = (manifests: readonly Manifest[]) =>
      manifests
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));
    expect(policies(chart)).toEqual(policies(overlay));
  });

  it('the chart makes the same pods, except that their image has a tag and their number is left to the autoscaler', () => {
    const deployment = (manifests: readonly Manifest[]) =>
      sorted(
        without(only(manifests, 'Deployment'), (key) => key === 'replicas' || key === 'image'),
      );
    expect(deployment(chart)).toEqual(deployment(overlay));
    expect(only(chart, 'Deployment')).not.toHaveProperty('spec.replicas');
    expect(only(overlay, 'Deployment')).toHaveProperty('spec.replicas', 2);
  });

  it('the chart has the same settings, and those that an overlay leaves to its user', () => {
    const added =
      side === 'sending'
        ? { OUTBOUND_ALLOWED_UPSTREAMS: 'https://relay.example.com' }
        : { UPSTREAM: 'http://api.internal:3000', RELAY_AUDIENCE: 'https://relay.example.com' };
    // The image sets the port as well; the chart may have another one.
    expect(settingsOf(chart)).toEqual({ ...settingsOf(overlay), ...added, ADMIN_PORT: '9464' });
  });
});
