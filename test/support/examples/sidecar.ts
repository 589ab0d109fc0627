import type { NameValue } from '../assertions/deploy-files.js';
import { manifestsOf, type Manifest } from '../assertions/kubernetes-schemas.js';

interface Projected {
  readonly sources: readonly { readonly secret?: { readonly name: string } }[];
}

interface Pod {
  readonly initContainers: readonly {
    readonly name: string;
    readonly env: readonly NameValue[];
    readonly volumeMounts: readonly { readonly mountPath: string }[];
  }[];
  readonly containers: readonly { readonly name: string }[];
  readonly volumes: readonly { readonly projected: Projected }[];
  readonly terminationGracePeriodSeconds: number;
}

/** What the manifest of an application says of the relay in its pod. */
export interface Sidecar {
  /** The name of the Deployment. */
  readonly deployment: string;
  /** The name of the container of the application. */
  readonly application: string;
  readonly environment: readonly NameValue[];
  readonly mountPath: string;
  /** The text of relay.yaml. */
  readonly directory: string;
  /** The name of the Secret, and of the file in it that relay.yaml refers to. */
  readonly secret: string;
  readonly secretFile: string;
  readonly graceSeconds: number;
}

export function sidecarOf(text: string): Sidecar {
  const manifests = manifestsOf(text);
  const deployment = ofKind(manifests, 'Deployment');
  const { spec: pod } = (deployment['spec'] as { template: { spec: Pod } }).template;
  const [relay] = pod.initContainers;
  const secrets = pod.volumes.flatMap(({ projected }) => projected.sources);
  const directory = (ofKind(manifests, 'ConfigMap')['data'] as Record<string, string>)[
    'relay.yaml'
  ]!;
  return {
    deployment: deployment.metadata.name,
    application: pod.containers[0]!.name,
    environment: relay!.env,
    mountPath: relay!.volumeMounts[0]!.mountPath,
    directory,
    secret: secrets.find(({ secret }) => secret !== undefined)!.secret!.name,
    secretFile: /secret: \{ file: (\S+) \}/.exec(directory)![1]!,
    graceSeconds: pod.terminationGracePeriodSeconds,
  };
}

function ofKind(manifests: readonly Manifest[], kind: string): Manifest {
  const manifest = manifests.find((one) => one.kind === kind);
  if (manifest === undefined) {
    throw new Error(`no ${kind}`);
  }
  return manifest;
}
