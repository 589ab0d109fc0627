import { describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import {
  clientWith,
  directoryText,
  type DirectoryContent,
} from '../support/relays/mounted-directory.js';
import {
  headersOf,
  newSecret,
  startDirectoryTunnel,
  tokenOf,
  TENANTS,
  type TenantName,
} from '../support/tunnels/directory-tunnel.js';
import { endUnharmed, passAll, startTenantLoads } from '../support/tunnels/directory-load.js';
import { ID_HEADER, startCountingUpstream } from '../support/upstreams/counting-upstream.js';

/** Each makes ten changes. */
const ROUNDS = 10;
/** In these, the complete changes are found by comparison, once a second. After them, a signal tells of each. */
const ROUNDS_WITHOUT_SIGNAL = 2;
const PER_SECOND = 4;
/** Promised is 2 s, on a machine that is not four times slower and has nothing else to do. */
const EFFECT_LIMIT_MS = 10_000;
const REPLACED = 'the directory was replaced';
const REFUSED = 'the new directory cannot be used: the previous one stays in use';
const CLIENTS = { alice: ['one'], bob: ['two'], carol: ['one', 'two'] } as const;

/** Resolves once the relay has logged this message again, after `act`. */
const logged = async ({ log }: RelayProcess, message: string, act: () => void): Promise<void> => {
  const before = log.items.filter(({ msg }) => msg === message).length;
  act();
  await log.find(
    ({ msg }) =>
      msg === message && log.items.filter((line) => line.msg === message).length > before,
  );
};

/** Asks the relay to read its directory now. */
const ask = ({ pid }: RelayProcess): void => {
  process.kill(pid, 'SIGHUP');
};

const startTunnel = async () => {
  const apis = {
    one: forThisTest(await startCountingUpstream()),
    two: forThisTest(await startCountingUpstream()),
  };
  const tunnel = forThisTest(
    await startDirectoryTunnel({
      apis: { one: apis.one.url, two: apis.two.url },
      clients: CLIENTS,
      environment: { TUNNEL_TRANSPORT: 'auto' },
      start: startRelayProcess,
    }),
  );
  const loads = startTenantLoads(tunnel.outbound.url, CLIENTS, PER_SECOND);
  return { ...tunnel, apis, loads };
};

/** The two files of a tunnel as they change, round by round. */
class Changes {
  /** How long each change took that was found by comparison, in milliseconds. */
  readonly effects: number[] = [];
  private version = 0;
  private readonly secrets: Record<string, string>;

  constructor(private readonly tunnel: Awaited<ReturnType<typeof startTunnel>>) {
    this.secrets = { ...tunnel.secrets };
  }

  /** Ten changes: in place, half-written, by symbolic link, bad, and those of a rotation. */
  async makeTen(rotated: TenantName, isSignalled: boolean): Promise<void> {
    const { inbound, outbound, inboundFile, outboundFile } = this.tunnel;
    await this.seesVersion(isSignalled, () => {
      inboundFile.write(this.inbound());
    });
    await logged(inbound, REFUSED, () => {
      inboundFile.write({ ...this.inbound(), tenants: { 'no origin': {} } });
      ask(inbound);
    });
    await logged(inbound, REPLACED, () => {
      inboundFile.write(this.inbound());
      ask(inbound);
    });
    await this.admitsClient((text) => {
      // Cut off within a string, so that it is not valid as it stands.
      outboundFile.write(text.slice(0, text.indexOf('sha256') + 3));
      setTimeout(() => {
        outboundFile.write(text);
      }, 100);
    });
    await logged(outbound, REFUSED, () => {
      const { peers, clients } = this.outbound();
      outboundFile.write({ peers: { ...peers, gone: { secret: { file: 'gone' } } }, clients });
      ask(outbound);
    });
    await logged(outbound, REPLACED, () => {
      outboundFile.swap(this.outbound(), this.secrets);
      ask(outbound);
    });
    await this.rotate(rotated);
    await this.seesVersion(isSignalled, () => {
      inboundFile.swap(this.inbound(), this.secrets);
    });
  }

  /** Each relay has its secret in a file; that of relay B is named by a peer that the other tenant does not have. */
  private async rotate(name: TenantName): Promise<void> {
    const { inbound, outbound, inboundFile, outboundFile } = this.tunnel;
    const next = newSecret();
    const caller = `caller-${name}`;
    const { peers, tenants } = this.inbound();
    const both = { secret: { file: name }, secretAlt: { file: `${name}-next` } };
    await logged(inbound, REPLACED, () => {
      const files = { ...this.secrets, [`${name}-next`]: next };
      inboundFile.swap({ tenants, peers: { ...peers, [caller]: both } }, files);
      ask(inbound);
    });
    this.secrets[name] = next;
    await logged(outbound, REPLACED, () => {
      outboundFile.writeNamed(name, next);
      ask(outbound);
    });
    await logged(inbound, REPLACED, () => {
      inboundFile.swap(this.inbound(), this.secrets);
      ask(inbound);
    });
  }

  private async seesVersion(isSignalled: boolean, change: () => void): Promise<void> {
    this.version += 1;
    const isSeen = async (): Promise<boolean> => {
      const path = `/version-${this.version}`;
      const headers = { [ID_HEADER]: `version ${this.version}` };
      return (await request(this.tunnel.audiences.two, { path, headers })).status === 200;
    };
    if (!isSignalled) {
      await this.takesEffect(change, isSeen);
      return;
    }
    const { inbound } = this.tunnel;
    await logged(inbound, REPLACED, () => {
      change();
      ask(inbound);
    });
    expect(await isSeen()).toBe(true);
  }

  private async admitsClient(write: (text: string) => void): Promise<void> {
    this.version += 1;
    const change = () => {
      write(directoryText(this.outbound()));
    };
    await this.takesEffect(change, async () => {
      const name = `guest-${this.version}`;
      const headers = { ...headersOf(name, 'one'), [ID_HEADER]: name };
      return (await request(this.tunnel.outbound.url, { headers })).status === 200;
    });
  }

  private async takesEffect(change: () => void, hasEffect: () => Promise<boolean>): Promise<void> {
    const beganAtMs = performance.now();
    change();
    await expect.poll(hasEffect, { timeout: EFFECT_LIMIT_MS, interval: 20 }).toBe(true);
    this.effects.push(Math.round(performance.now() - beganAtMs));
  }

  private outbound(): Required<Pick<DirectoryContent, 'peers' | 'clients'>> {
    const { peers, clients } = this.tunnel.outboundContent;
    const guest = `guest-${this.version}`;
    return { peers, clients: { ...clients, [guest]: clientWith(tokenOf(guest), 'one') } };
  }

  private inbound(): Required<Pick<DirectoryContent, 'peers' | 'tenants'>> {
    const { inboundContent, audiences } = this.tunnel;
    const { peers, tenants } = inboundContent;
    const two = {
      ...tenants[audiences.two],
      passThroughRoutes: [`/version-${this.version}`],
    };
    return { peers, tenants: { ...tenants, [audiences.two]: two } };
  }
}

describe('two tenants and three clients under load', () => {
  it('lose no request by 100 changes, good and bad, and none reaches another tenant', async () => {
    const tunnel = await startTunnel();
    const changes = new Changes(tunnel);
    await passAll(tunnel.loads, 5);

    for (let round = 1; round <= ROUNDS; round += 1) {
      await changes.makeTen(TENANTS[round % 2]!, round > ROUNDS_WITHOUT_SIGNAL);
    }

    await passAll(tunnel.loads, 5);
    const count = await endUnharmed(tunnel.loads, tunnel.apis);
    const { effects } = changes;
    const mean = Math.round(effects.reduce((sum, ms) => sum + ms, 0) / effects.length);
    console.log(
      `${ROUNDS * 10} changes during ${count} requests; of the ${effects.length} that were found by comparison, ` +
        `the effect came after ${mean} ms, at most ${Math.max(...effects)} ms`,
    );
    const told = JSON.stringify([tunnel.outbound.log.items, tunnel.inbound.log.items]);
    expect(told).not.toContain(tokenOf('alice'));
    expect(told).not.toContain(tunnel.secrets.one);
  });
});
