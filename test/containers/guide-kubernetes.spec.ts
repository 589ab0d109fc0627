import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { configOf, type NameValue } from '../support/assertions/deploy-files.js';
import {
  manifestsOf,
  problemsOf,
  type Manifest,
} from '../support/assertions/kubernetes-schemas.js';
import { hasProgram, run } from './engine.js';
import { Reader } from './guide.js';

const SIDES = ['receiving', 'sending'] as const;
const KEPT = ['client-id-secret', 'outbound-token'];
const PEER = 'https://relay.example.com';

/**
 * Programs that stand for those that need a cluster or a registry. What would be created or applied is rendered by the
 * real kubectl; of its other commands, only the options are checked. What is not rendered is logged.
 */
const STUBS = {
  kubectl: `
    render() { "$KUBECTL" "$@" > "$RENDERED/$(date +%s%N).yaml"; }
    case "$1 $2" in
      'create secret') render "$@" --dry-run=client --output yaml ;;
      'apply --filename') cp "$3" "$RENDERED/$(date +%s%N).yaml" ;;
      'apply --kustomize') render kustomize "$3" ;;
      *) "$KUBECTL" "$@" --help > /dev/null && echo "kubectl $*" >> "$RENDERED/log" ;;
    esac
    if [ "$1" = port-forward ]; then exec sleep 60; fi`,
  docker: 'echo "docker $*" >> "$RENDERED/log"',
  curl: `
    until grep --quiet port-forward "$RENDERED/log"; do sleep 0.1; done
    echo "curl $*" >> "$RENDERED/log"`,
};

interface Pod {
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly containers: readonly [{ readonly image: string; readonly env: readonly NameValue[] }];
}

let reader: Reader;
let manifests: readonly Manifest[] = [];
/** One line for each command that a program only stood for. */
let log = '';

const of = (namespace: string, kind: string): readonly Manifest[] =>
  manifests.filter((one) => one.kind === kind && one.metadata.namespace === `mte-${namespace}`);

/** The only manifest of a kind that is about the relay, not about its Redis. */
const one = (namespace: string, kind: string): Manifest => {
  const found = of(namespace, kind).filter(
    ({ metadata }) => metadata.labels?.['app'] === 'mte-api-relay',
  );
  expect(found, `${kind} of ${namespace}`).toHaveLength(1);
  return found[0]!;
};

const podOf = (namespace: string): Pod =>
  (one(namespace, 'Deployment')['spec'] as { template: { spec: Pod } }).template.spec;

const secret = (namespace: string, name: string): Record<string, string> => {
  const found = of(namespace, 'Secret').find(({ metadata }) => metadata.name === name);
  const entries = Object.entries((found?.['data'] ?? {}) as Record<string, string>);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
};

const hasKubectl = hasProgram('kubectl', 'kustomize', '--help');

describe.skipIf(!hasKubectl)('the commands of docs/deployment.md for Kubernetes', () => {
  beforeAll(async () => {
    reader = await Reader.create();
    const programs = join(reader.folder, '.programs');
    const rendered = join(reader.folder, '.rendered');
    mkdirSync(programs);
    mkdirSync(rendered);
    for (const [name, script] of Object.entries(STUBS)) {
      writeFileSync(join(programs, name), `#!/bin/bash\nset -euo pipefail\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    }
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=relay.example.com'],
      ...['-keyout', join(reader.folder, 'tls.key'), '-out', join(reader.folder, 'tls.crt')],
    ]);
    await reader.follow('Kubernetes', {
      KUBECTL: await run('bash', ['-c', 'command -v kubectl']),
      RENDERED: rendered,
      PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}`,
    });
    const files = readdirSync(rendered).filter((name) => name.endsWith('.yaml'));
    manifests = files.flatMap((name) => manifestsOf(readFileSync(join(rendered, name), 'utf8')));
    log = readFileSync(join(rendered, 'log'), 'utf8');
  });

  afterAll(() => {
    reader.remove();
  });

  it('create and apply only what the schemas of the API accept', () => {
    expect(manifests.length).toBeGreaterThan(20);
    expect(manifests.flatMap((manifest) => problemsOf(manifest))).toEqual([]);
  });

  it.each(SIDES)('keep the secrets of the %s side in files, and give them to its relay', (side) => {
    const given = secret(side, 'mte-api-relay-secret');
    for (const name of KEPT) {
      expect(given[name]).toBe(reader.read(`${side}/${name}`));
      expect(statSync(join(reader.folder, side, name)).mode & 0o077).toBe(0);
    }
    expect(given['client-id-secret']).toBe(reader.read('receiving/client-id-secret'));
  });

  it.each(SIDES)('configure a relay of the %s side that starts in production', (side) => {
    const given = secret(side, 'mte-api-relay-secret');
    const data = one(side, 'ConfigMap')['data'] as Record<string, string>;
    const [{ env }] = podOf(side).containers;
    for (const { value } of env) {
      expect(Object.keys(given)).toContain(value.replace('/run/secrets/mte-api-relay/', ''));
    }
    const config = configOf({
      ...data,
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
    });
    expect(config.nodeEnv).toBe('production');
    expect(config.outboundAllowedUpstreams).toHaveLength(1);
    expect(config.relayAudience).toHaveLength(1);
    expect(side === 'sending' ? config.outboundAllowedUpstreams : config.relayAudience).toEqual([
      PEER,
    ]);
  });

  it.each(SIDES)('run the image that was pushed on the %s side, with its pull secret', (side) => {
    const pod = podOf(side);
    expect(pod.containers[0].image).toBe(/^docker push (\S+)$/m.exec(log)?.[1]);
    const [pull] = pod.imagePullSecrets ?? [];
    expect(secret(side, pull?.name ?? '')['.dockerconfigjson']).toContain('registry.example.com');
  });

  it('let peers reach the relay that receives only through an Ingress with TLS', () => {
    const { tls } = one('receiving', 'Ingress')['spec'] as {
      tls: readonly [{ hosts: readonly string[]; secretName: string }];
    };
    const [{ hosts, secretName }] = tls;
    expect(hosts.map((host) => `https://${host}`)).toEqual([PEER]);
    expect(Object.keys(secret('receiving', secretName))).toEqual(['tls.crt', 'tls.key']);
    const services = of('receiving', 'Service').map(({ spec }) => (spec as { type?: string }).type);
    expect(services.filter((type = 'ClusterIP') => type !== 'ClusterIP')).toEqual([]);
  });

  it('let nothing outside the cluster reach the relay that sends', () => {
    expect(of('sending', 'Ingress')).toEqual([]);
    expect(one('sending', 'Service')).toMatchObject({ spec: { type: 'ClusterIP' } });
    const rules = of('sending', 'NetworkPolicy').flatMap(
      ({ spec }) => (spec as { ingress: readonly { from?: object; ports: object }[] }).ingress,
    );
    expect(rules).toHaveLength(2);
    expect(rules.filter(({ from }) => from === undefined)).toEqual([]);
    expect(log).toContain('kubectl label namespace default mte-api-relay-client=allowed\n');
  });

  it('send a request with the token of the relay that sends, to the relay that receives', () => {
    const [, request = ''] = log.split('kubectl port-forward ');
    expect(request).toMatch(/^--namespace mte-sending service\/mte-api-relay-service 8091:80$/m);
    expect(request).toContain(
      `x-mte-outbound-token: ${reader.read('sending/outbound-token').trim()}`,
    );
    expect(request).toContain(`x-mte-upstream: ${PEER}`);
  });
});
