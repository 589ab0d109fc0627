import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import {
  manifestsOf,
  problemsOf,
  type Manifest,
} from '../support/assertions/kubernetes-schemas.js';

const FOLDER = join(import.meta.dirname, '../../deploy/kubernetes');

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly patch: string }[];
}

interface PatchedSpec {
  readonly template: { readonly spec: { readonly containers?: readonly { name: string }[] } };
}

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join(FOLDER, name));

const isKustomization = (file: string): boolean => file.endsWith('/kustomization.yaml');

const kustomizationOf = (file: string): Kustomization =>
  parse(readFileSync(file, 'utf8')) as Kustomization;

const manifests = files
  .filter((file) => !isKustomization(file))
  .flatMap((file) =>
    manifestsOf(readFileSync(file, 'utf8')).map(
      (manifest) => [`${relative(FOLDER, file)}: ${manifest.kind}`, manifest] as const,
    ),
  );

const only = (kind: string): Manifest => {
  const [first] = manifests.filter(([, manifest]) => manifest.kind === kind);
  if (first === undefined) {
    throw new Error(`no ${kind}`);
  }
  return first[1];
};

describe('the manifests of deploy/kubernetes', () => {
  it.each(manifests)('%s conforms to the schema of the API', (_, manifest) => {
    expect(problemsOf(manifest)).toEqual([]);
  });

  it('would be refused with a misspelt field or a value of the wrong type', () => {
    const service = only('Service');
    expect(problemsOf({ ...service, spec: { selectors: {} } })).toEqual([
      '/spec/selectors is unknown',
    ]);
    expect(problemsOf({ ...service, spec: { ports: 'http' } })).not.toEqual([]);
  });

  it('are all named by a kustomization, which names nothing else', () => {
    const named = files.filter(isKustomization).flatMap((file) => {
      const { resources = [], components = [] } = kustomizationOf(file);
      return [...resources, ...components].map((name) => join(dirname(file), name));
    });
    const folders = files.filter(isKustomization).map((file) => dirname(file));
    expect(named.filter((path) => !files.includes(path) && !folders.includes(path))).toEqual([]);
    expect(files.filter((file) => !isKustomization(file) && !named.includes(file))).toEqual([]);
  });

  it('patch a container that exists', () => {
    const patches = files
      .filter(isKustomization)
      .flatMap((file) => kustomizationOf(file).patches ?? [])
      .map(({ patch }) => parse(patch) as Manifest);
    expect(patches).toHaveLength(5);
    for (const patch of patches) {
      const { kind, metadata, spec } = patch as Manifest & { spec: PatchedSpec };
      expect([kind, metadata.name]).toEqual(['Deployment', 'mte-api-relay-deployment']);
      const names = (spec.template.spec.containers ?? []).map(({ name }) => name);
      expect([[], ['mte-api-relay']]).toContainEqual(names);
    }
  });

  it('have the names that users expect', () => {
    const relay = manifests
      .filter(([, { metadata }]) => metadata.labels?.['app'] === 'mte-api-relay')
      .map(([, { kind, metadata }]) => `${kind} ${metadata.name}`);
    expect(relay.sort()).toEqual([
      'Deployment mte-api-relay-deployment',
      'HorizontalPodAutoscaler mte-api-relay-hpa',
      'Ingress mte-api-relay-ingress',
      'NetworkPolicy mte-api-relay-clients',
      'NetworkPolicy mte-api-relay-network',
      'NetworkPolicy mte-api-relay-peers',
      'PodDisruptionBudget mte-api-relay-pdb',
      'Service mte-api-relay-service',
    ]);
    expect(only('HorizontalPodAutoscaler')['spec']).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'mte-api-relay-deployment' },
    });
  });
});
