import { mkdtempSync, cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { blocksOf, under } from '../support/assertions/guide-text.js';
import { read } from '../support/assertions/deploy-files.js';
import { docker, ROOT, run, waitUntil } from './engine.js';

const NAME = 'mte-api-relay';
const MACHINE = 'mte-debian-machine';
const SERVICE = 'mte-debian-service';
const MAX_EXPOSURE = 2;
/** What systemd needs to be process 1 and to give services their restrictions; `--privileged` would be more. */
const FOR_SYSTEMD = [
  ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE', '--cgroupns', 'private'],
  ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
  ...['--tmpfs', '/run', '--tmpfs', '/tmp'],
];
const guide = read('docs/debian.md');

/** The commands of a section, as printed. */
const commandsOf = (section: string): string => blocksOf(under(guide, 2, section)).join('');

/** What the guide adds to the service for a purpose. */
const addedFor = (purpose: string): readonly string[] => {
  const row = guide.split('\n').find((line) => line.startsWith(`| ${purpose}`)) ?? '';
  const [, , added = ''] = row.split('|').map((cell) => cell.trim());
  return [...added.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
};

/** Commands that do what `systemctl edit` does. */
const override = (lines: string): string => `
      mkdir --parents /etc/systemd/system/${NAME}.service.d
      printf '[Service]\\n%s\\n' '${lines}' > /etc/systemd/system/${NAME}.service.d/override.conf
      systemctl daemon-reload`;

const inContainer = (name: string, commands: string): Promise<string> =>
  run('docker', ['exec', '--interactive', name, 'bash', '-euo', 'pipefail'], { input: commands });

/** Files and links that the package or its maintainer scripts could have left. */
const LEFT = `find / -xdev -not -path '/root/*' -not -path '/opt/*' -not -path '/var/log/*' -not -path '/var/lib/dpkg/info' \\
  -name '*mte-api-relay*' -print`;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mte-debian-'));
  try {
    cpSync(join(ROOT, 'test/containers/debian-machine'), folder, { recursive: true });
    await run('npm', ['run', '--silent', 'package:deb', '--', '--output', folder]);
    for (const [target, image] of [
      ['machine', MACHINE],
      ['service', SERVICE],
    ] as const) {
      await docker('build', '--target', target, '--tag', image, folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

afterAll(async () => {
  await docker('rm', '--force', MACHINE, SERVICE);
  await docker('image', 'rm', '--force', MACHINE, SERVICE);
});

describe('the package on Debian without a service manager', () => {
  beforeAll(async () => {
    await docker('run', '--detach', '--init', '--name', MACHINE, MACHINE);
    await inContainer(MACHINE, commandsOf('Install'));
  });

  it('starts a relay that answers, as a user that is not root', async () => {
    const ready = await inContainer(
      MACHINE,
      `export CLIENT_ID_SECRET="$(${NAME} secret)" OUTBOUND_TOKEN="$(${NAME} secret)"
      export UPSTREAM=http://127.0.0.1:9 REDIS_URL=memory:// NODE_ENV=production
      cd /
      setpriv --reuid nobody --regid nogroup --clear-groups ${NAME} start > /tmp/log 2>&1 &
      curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors http://localhost:8080/health/ready
      kill %1 && wait %1`,
    );
    expect(ready).toContain('"status":"ok"');
  });

  it('leaves its settings when it is removed, and nothing when it is purged', async () => {
    await inContainer(MACHINE, `echo secret > /etc/${NAME}/secrets/client-id-secret`);
    await inContainer(MACHINE, `apt-get remove --quiet=2 --yes ${NAME}`);
    expect(await inContainer(MACHINE, `ls /etc/${NAME}; ls /usr/lib | grep ${NAME} || true`)).toBe(
      'relay.env\nsecrets',
    );
    await inContainer(MACHINE, commandsOf('Remove'));
    expect(await inContainer(MACHINE, LEFT)).toBe('');
    expect(await inContainer(MACHINE, `dpkg --get-selections | grep ${NAME} || true`)).toBe('');
  });
});

describe('the commands of docs/debian.md, with systemd', () => {
  const property = (name: string): Promise<string> =>
    inContainer(SERVICE, `systemctl show --property ${name} --value ${NAME}`);
  const log = (): Promise<string> =>
    inContainer(SERVICE, `journalctl --unit ${NAME} --output cat --no-pager`);
  const logs = (what: string): Promise<void> =>
    waitUntil(`the log has ${what}`, async () => (await log()).includes(what), 60_000);

  beforeAll(async () => {
    await docker('run', '--detach', '--name', SERVICE, ...FOR_SYSTEMD, SERVICE);
    await waitUntil('systemd is running', async () =>
      (await inContainer(SERVICE, 'systemctl is-system-running || true')).includes('running'),
    );
    await inContainer(SERVICE, commandsOf('Install'));
  });

  it('install a service that waits for its settings', async () => {
    expect(await inContainer(SERVICE, `systemctl is-enabled ${NAME} || true`)).toBe('disabled');
    expect(await property('ActiveState')).toBe('inactive');
    expect(await inContainer(SERVICE, `systemd-analyze verify --man=no ${NAME}.service 2>&1`)).toBe(
      '',
    );
  });

  it('start a relay that receives, whose secrets come from systemd', async () => {
    const printed = await inContainer(SERVICE, commandsOf('A relay that receives'));
    expect(printed).toMatch(/^[\w+/-]{43}=?\n\{"status":"ok"/);
    const [secret = ''] = printed.split('\n');
    const pid = await property('MainPID');
    const environment = await inContainer(SERVICE, `tr '\\0' '\\n' < /proc/${pid}/environ`);
    expect(environment).not.toContain(secret);
    expect(environment).toContain(
      'CLIENT_ID_SECRET_FILE=/run/credentials/mte-api-relay.service/secrets_client-id-secret',
    );
    const status = await inContainer(SERVICE, `cat /proc/${pid}/status`);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Uid:\t(?!0\t)/m);
    expect(await log()).toContain('"nodeEnv":"production"');
    const [, exposure] =
      /level for \S+: ([\d.]+)/.exec(
        await inContainer(SERVICE, `systemd-analyze security --no-pager ${NAME}`),
      ) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(MAX_EXPOSURE);
    console.log(`exposure of the running service: ${exposure}`);
  });

  it('leave a relay that carries a request of another one to its API', async () => {
    const response = await inContainer(
      SERVICE,
      `sed --in-place 's|https://relay.example.com|http://127.0.0.1:8080|' /etc/${NAME}/relay.env
      systemctl restart ${NAME}
      node --eval "require('node:http').createServer((_, response) => response.end('from the API')).listen(3000)" &
      export CLIENT_ID_SECRET="$(cat /etc/${NAME}/secrets/client-id-secret)" OUTBOUND_TOKEN="$(${NAME} secret)"
      export UPSTREAM=http://127.0.0.1:9 REDIS_URL=memory:// PORT=8091
      ${NAME} start > /tmp/log 2>&1 &
      for port in 8080 8091; do
        curl --silent --fail --output /dev/null --retry 60 --retry-delay 1 --retry-all-errors http://localhost:$port/health/ready
      done
      curl --silent --fail-with-body http://localhost:8091/hello \\
        -H "x-mte-outbound-token: $OUTBOUND_TOKEN" -H 'x-mte-upstream: http://127.0.0.1:8080'
      kill %1 %2`,
    );
    expect(response).toBe('from the API');
  });

  it('stay up on a reload, and stop in order', async () => {
    const pid = await property('MainPID');
    await inContainer(SERVICE, `systemctl reload ${NAME}`);
    await logs('told to reload');
    expect(await property('MainPID')).toBe(pid);
    await inContainer(SERVICE, `systemctl stop ${NAME}`);
    expect(await property('Result')).toBe('success');
    expect(await property('ExecMainStatus')).toBe('0');
  });

  it('start a relay with a directory file, which takes a change over while it runs', async () => {
    const printed = await inContainer(SERVICE, commandsOf('With a directory file'));
    expect(printed).toContain('"file":"in use","peers":1,"clients":0,"tenants":1');
    const folder = `/etc/${NAME}/directory`;
    expect(await inContainer(SERVICE, `${NAME} config check ${folder}/relay.yaml`)).toContain(
      'peers: shop',
    );
    await inContainer(
      SERVICE,
      `${NAME} secret > ${folder}/other.secret
      sed 's/^tenants:/  other:\\n    secret: { file: other.secret }\\ntenants:/' ${folder}/relay.yaml > ${folder}/new
      mv ${folder}/new ${folder}/relay.yaml
      systemctl reload ${NAME}`,
    );
    await logs('the directory was replaced');
    expect(await inContainer(SERVICE, `stat --format %G ${folder}/other.secret`)).toBe(NAME);
  });

  it('keep the settings when the package is updated, and restart the relay', async () => {
    const before = await property('MainPID');
    await inContainer(SERVICE, `dpkg --install ${NAME}_*.deb`);
    expect(await property('ActiveState')).toBe('active');
    expect(await property('MainPID')).not.toBe(before);
    expect(await inContainer(SERVICE, `cat /etc/${NAME}/relay.env`)).toContain(
      'RELAY_CONFIG_FILE=',
    );
  });

  it('open a port below 1024 with what the guide adds', async () => {
    const ready = await inContainer(
      SERVICE,
      `${override(addedFor('a port below 1024').join('\n'))}
      echo PORT=80 >> /etc/${NAME}/relay.env
      systemctl restart ${NAME}
      curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors http://localhost:80/health/ready`,
    );
    expect(ready).toContain('"status":"ok"');
  });

  it('open a socket for the group of a client with what the guide adds', async () => {
    const [group = '', others = '', socket = '', mode = ''] = addedFor('a [listener of a peer]');
    const path = socket.replace('NAME', 'billing');
    const call = (gid: string): string =>
      `setpriv --reuid nobody --regid ${gid} --clear-groups curl --silent --unix-socket ${path} http://localhost/ || true`;
    const [asClient, asOther] = (
      await inContainer(
        SERVICE,
        `groupadd --system billing
      ${override(`${group}billing\n${others}`)}
      cat > /etc/${NAME}/directory/relay.yaml << 'EOF'
peers:
  shop:
    origins: [http://127.0.0.1:9]
    secret: { file: shop.secret }
    listen: { socket: ${path}, ${mode}, client: billing }
clients:
  billing: { tokens: [], peers: [shop] }
EOF
      systemctl restart ${NAME}
      timeout 60 sh -c 'until test -S ${path}; do sleep 0.2; done'
      ${call('billing')}; echo; ${call('nogroup')}`,
      )
    ).split('\n');
    expect(asClient).toContain('RELAY_PEER_UNREACHABLE');
    expect(asOther ?? '').toBe('');
  });

  it('remove the relay, and leave nothing of it', async () => {
    await inContainer(
      SERVICE,
      `rm -r /etc/systemd/system/${NAME}.service.d
      # For the last test, a relay as npm installs it.
      cp --recursive /usr/lib/${NAME} /opt/relay`,
    );
    await inContainer(SERVICE, commandsOf('Remove'));
    expect(await property('ActiveState')).toBe('inactive');
    expect(await inContainer(SERVICE, LEFT)).toBe('');
    await inContainer(SERVICE, `userdel ${NAME}`);
  });

  it('start a relay without the package', async () => {
    await docker('cp', join(ROOT, 'deploy'), `${SERVICE}:/root/deploy`);
    const ready = await inContainer(
      SERVICE,
      `ln --symbolic /opt/relay/bin/${NAME} /usr/local/bin/${NAME}
      ${commandsOf('Without the package')}
      ${commandsOf('A relay that receives')}`,
    );
    expect(ready).toContain('"status":"ok"');
  });
});
