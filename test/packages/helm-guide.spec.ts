import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { read } from '../support/assertions/deploy-files.js';
import { followDirectoryGuide } from '../support/assertions/directory-guide.js';
import { blocksOf, under } from '../support/assertions/guide-text.js';
import { configOfPods, hasHelm, helmPath, podOf } from '../support/assertions/helm-chart.js';
import {
  manifestsOf,
  problemsOf,
  type Manifest,
} from '../support/assertions/kubernetes-schemas.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const GUIDE = under(read('docs/deployment.md'), 2, 'Helm');
const PEER = 'https://relay.example.com';

/** What the steps before this section leave behind, and the user's own certificate and registry. */
const BEFORE = `
  PATH=${JSON.stringify(helmPath)}
  REGISTRY=registry.example.com REGISTRY_USER=relay REGISTRY_PASSWORD=password
  for side in receiving sending; do openssl rand -base64 32 > $side/outbound-token; done
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=relay.example.com \
    -keyout tls.key -out tls.crt 2> openssl.log`;
/** Without a cluster: what would be created or installed is rendered, and of anything else only the options are read. */
const PROGRAMS = `
  mkdir secrets installed
  kubectl() {
    case "$1 $2" in
      'create secret') command kubectl "$@" --dry-run=client --output yaml > "secrets/$6-$4.yaml" ;;
      'apply --filename') test -f "$3" ;;
      *) command kubectl "$@" --help > help.log ;;
    esac
  }
  helm() {
    test "$1 $2" = 'upgrade --install' && shift 2
    command helm template "$@" > "installed/$(find installed -type f | wc -l).yaml"
  }`;

const shared = sharedResources();
let folder: string;
/** What the commands of each part install, with the Secrets of its namespace. */
let parts: readonly (readonly Manifest[])[] = [];

const manifestsIn = (name: string): readonly Manifest[] =>
  readdirSync(join(folder, name))
    .sort()
    .flatMap((file) => manifestsOf(readFileSync(join(folder, name, file), 'utf8')));

describe.skipIf(!hasHelm)('the commands of docs/deployment.md for Helm', () => {
  beforeAll(async () => {
    const blocks = blocksOf(GUIDE).map((block) => block.replaceAll('…', 'password'));
    folder = shared(await followDirectoryGuide(PROGRAMS, BEFORE, ...blocks)).path;
    const secrets = manifestsIn('secrets');
    parts = ['mte-receiving', 'mte-sending', 'mte-sending'].map((namespace, part) => [
      ...secrets.filter(({ metadata }) => metadata.namespace === namespace),
      ...manifestsOf(readFileSync(join(folder, `installed/${part}.yaml`), 'utf8')),
    ]);
  });

  it('create and install only what the schemas of the API accept', () => {
    expect(readdirSync(join(folder, 'installed'))).toHaveLength(3);
    expect(parts.flat().flatMap((manifest) => problemsOf(manifest))).toEqual([]);
  });

  it('start a relay that receives, with the secrets that were made and a Redis', () => {
    const { config } = configOfPods(parts[0]!, {}, folder);
    expect(config).toMatchObject({
      nodeEnv: 'production',
      upstream: 'http://api.default.svc.cluster.local:3000',
      relayAudience: [PEER],
      clientIdSecret: readFileSync(join(folder, 'receiving/client-id-secret'), 'utf8').trim(),
      redisUrl: 'redis://:password@redis.default.svc.cluster.local:6379',
    });
  });

  it('start a relay that sends to it', () => {
    const { config } = configOfPods(parts[1]!, {}, folder);
    expect(config).toMatchObject({
      nodeEnv: 'production',
      outboundAllowedUpstreams: [PEER],
      outboundToken: readFileSync(join(folder, 'sending/outbound-token'), 'utf8').trim(),
      redisUrl: 'memory://',
    });
  });

  it('start a relay that sends from a directory file', () => {
    const { directory } = configOfPods(parts[2]!, {}, folder).config;
    expect(directory.peers.map(({ name }) => name)).toEqual(['orders']);
    expect(directory.clients.map(({ name }) => name)).toEqual(['billing', 'reports']);
  });

  it('run the image that was pushed, with the pull secret that was made', () => {
    const pushed = /^docker push "\$REGISTRY\/(\S+)"$/m.exec(read('docs/deployment.md'))?.[1];
    for (const part of parts) {
      const pod = podOf(part);
      expect(pod.containers[0].image).toBe(`registry.example.com/${pushed ?? ''}`);
      const names = part.filter(({ kind }) => kind === 'Secret').map((one) => one.metadata.name);
      expect(pod.imagePullSecrets?.map(({ name }) => name)).toEqual(['mte-api-relay-registry']);
      expect(names).toContain('mte-api-relay-registry');
    }
  });

  it('end TLS at the Ingress with the certificate that was made', () => {
    const [ingress] = parts[0]!.filter(({ kind }) => kind === 'Ingress');
    const names = parts[0]!.filter(({ kind }) => kind === 'Secret').map((one) => one.metadata.name);
    expect(ingress).toMatchObject({ spec: { tls: [{ secretName: 'mte-api-relay-tls' }] } });
    expect(names).toContain('mte-api-relay-tls');
  });
});
