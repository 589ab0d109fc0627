import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';

const MODELS = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
];

/** A manifest as it is in its file. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

/** The manifests of a file, or of what kubectl prints. */
export const manifestsOf = (text: string): readonly Manifest[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest);

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
export function problemsOf(manifest: Manifest): readonly string[] {
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
