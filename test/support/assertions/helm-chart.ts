import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { loadConfig, type LoadedConfig } from '@relay/config';
import { expect } from 'vitest';

import { helmFolders } from '../programs/helm.js';
import { imageVariables, type NameValue, pairs, ROOT } from './deploy-files.js';
import { manifestsOf, type Manifest } from './kubernetes-schemas.js';

export const CHART = join(ROOT, 'deploy/helm/mte-api-relay');
const folders = helmFolders();
/** Whether there are a helm and a kubectl, which `helmPath` leads to. */
export const hasHelm = folders !== undefined;
export const helmPath = [...(folders ?? []), process.env['PATH'] ?? ''].join(delimiter);

export type Values = Readonly<Record<string, unknown>>;

/** What the pods of a relay consist of, as far as tests read it. */
export interface Pod {
  readonly containers: readonly [
    {
      readonly image: string;
      readonly env?: readonly NameValue[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    },
  ];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly terminationGracePeriodSeconds: number;
  readonly volumes?: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string };
    readonly projected?: {
      readonly sources: readonly Readonly<Record<string, { readonly name: string }>>[];
    };
  }[];
}

/** Runs helm or kubectl in the repository, without the configuration of the user. */
export function ran(program: 'helm' | 'kubectl', args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    input,
    env: { PATH: helmPath, HOME: '/nonexistent' },
  });
  return { status, stdout, stderr };
}

/** What helm makes of the chart with these values, under the name that the documents give a release. */
export function rendered(values: Values, chart = CHART): readonly Manifest[] {
  const args = ['template', 'mte-api-relay', chart, '--values', '-'];
  const { status, stdout, stderr } = ran('helm', args, JSON.stringify(values));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return manifestsOf(stdout);
}

/** What helm says of values that it refuses. */
export function refusal(values: Values): string {
  const args = ['template', 'mte-api-relay', CHART, '--values', '-'];
  const { status, stdout, stderr } = ran('helm', args, JSON.stringify(values));
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  return stderr;
}

/** The only manifest of a kind, or that whose name ends so. */
export function only(manifests: readonly Manifest[], kind: string, end = ''): Manifest {
  const found = manifests.filter(
    ({ kind: other, metadata }) => other === kind && metadata.name.endsWith(end),
  );
  expect(found, `${kind} …${end}`).toHaveLength(1);
  return found[0]!;
}

export const podOf = (manifests: readonly Manifest[]): Pod =>
  (only(manifests, 'Deployment')['spec'] as { template: { spec: Pod } }).template.spec;

type Files = Readonly<Record<string, string>>;

/** The files of Secrets and ConfigMaps, by the name of the object. */
export type Mounted = Readonly<Record<string, Files>>;

function filesOf(manifests: readonly Manifest[]): Mounted {
  const of = (kind: string): readonly Manifest[] => manifests.filter((one) => one.kind === kind);
  const dataOf = (manifest: Manifest): Files => manifest['data'] as Files;
  return Object.fromEntries([
    ...of('ConfigMap').map((one) => [one.metadata.name, dataOf(one)] as const),
    ...of('Secret').map((one) => {
      const data = Object.entries(dataOf(one)).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]);
      return [one.metadata.name, Object.fromEntries(data) as Files] as const;
    }),
  ]);
}

/**
 * What a relay in these pods reads: its image, its variables, and its files, which are those of the rendered objects and
 * of others that exist.
 */
export function configOfPods(
  manifests: readonly Manifest[],
  existing: Mounted,
  folder: string,
): LoadedConfig {
  const root = mkdtempSync(join(folder, 'pod-'));
  const { containers, volumes = [] } = podOf(manifests);
  const [{ env = [], volumeMounts = [] }] = containers;
  const files = { ...existing, ...filesOf(manifests) };
  for (const { name, mountPath } of volumeMounts) {
    mkdirSync(join(root, mountPath), { recursive: true });
    const { secret, projected } = volumes.find((one) => one.name === name)!;
    const sources = projected?.sources.flatMap((source) => Object.values(source)) ?? [];
    const names = secret === undefined ? sources.map((one) => one.name) : [secret.secretName];
    for (const [key, text] of names.flatMap((one) => Object.entries(files[one]!))) {
      writeFileSync(join(root, mountPath, key), text);
    }
  }
  const variables = {
    ...imageVariables,
    ...filesOf(manifests)['mte-api-relay-config'],
    ...pairs(env.filter((one) => 'value' in one)),
  };
  const environment = Object.entries(variables).map(([name, value]) => [
    name,
    name.endsWith('_FILE') ? join(root, String(value)) : String(value),
  ]);
  return loadConfig(Object.fromEntries(environment) as NodeJS.ProcessEnv);
}
