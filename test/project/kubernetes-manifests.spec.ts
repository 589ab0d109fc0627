import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const FOLDER = join(import.meta.dirname, '../../deploy/kubernetes');
const MODELS = [
  Deployment,
  HorizontalPodAutoscaler,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
];

/** A manifest as it is in its file. */
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly patch: string }[];
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
    parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
      const manifest = document.toJS() as Manifest;
      return [`${relative(FOLDER, file)}: ${manifest.kind}`, manifest] as const;
    }),
  );

/** A copy of a value that removes each field from `unread` when that field is read. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const copy: object = Array.isArray(value) ? [] : {};
  for (const [key, field] of Object.entries(value)) {
    const fieldPath = `${path}/${key}`;
    if (!Array.isArray(value)) {
      unread.add(fieldPath);
    }
    Reflect.set(copy, key, watched(field, fieldPath, unread));
  }
  return new Proxy(copy, {
    get: (target, key) => {
      unread.delete(`${path}/${String(key)}`);
      return Reflect.get(target, key) as unknown;
    },
  });
}

/**
 * What is wrong with a manifest according to the schema of the API. A validator ignores fields that are not in its
 * schema, so a field that no validator has read is misspelt or misplaced.
 */
function problemsOf(manifest: Manifest): readonly string[] {
  const { apiVersion, kind } = manifest;
  const model = MODELS.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (model === undefined) {
    return [`no schema for ${apiVersion} ${kind}`];
  }
  const unread = new Set<string>();
  const validate: (this: unknown) => void = Reflect.get(model.prototype, 'validate');
  try {
    validate.call(watched(manifest, '', unread));
  } catch (error) {
    return [String(error)];
  }
  return [...unread].map((path) => `${path} is unknown`);
}

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
    expect(patches).toHaveLength(2);
    for (const patch of patches) {
      expect(patch).toMatchObject({
        kind: 'Deployment',
        metadata: { name: 'mte-api-relay-deployment' },
        spec: { template: { spec: { containers: [{ name: 'mte-api-relay' }] } } },
      });
    }
  });

  it('have the names that users expect', () => {
    const relay = manifests
      .filter(([, { metadata }]) => metadata.labels?.['app'] === 'mte-api-relay')
      .map(([, { kind, metadata }]) => `${kind} ${metadata.name}`);
    expect(relay.sort()).toEqual([
      'Deployment mte-api-relay-deployment',
      'HorizontalPodAutoscaler mte-api-relay-hpa',
      'NetworkPolicy mte-api-relay-network',
      'PodDisruptionBudget mte-api-relay-pdb',
      'Service mte-api-relay-service',
    ]);
    expect(only('HorizontalPodAutoscaler')['spec']).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'mte-api-relay-deployment' },
    });
  });
});
