import { readFile } from 'node:fs/promises';

import { OF_ENVIRONMENT, type Directory, type PeerEntry, type TenantEntry } from '@relay/config';
import { RelayName } from '@relay/signature';
import { describe, expect, it, vi } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { collectGarbage } from '../../../../test/support/lifecycle/collect-garbage.js';
import { DirectoryService } from './directory.service.js';
import { nameOfAudience } from './known-tenants.js';

const AUDIENCE = 'https://api.example';
const MEBIBYTE = 1024 * 1024;

const peer = (name: string, secret = `secret of ${name}`): PeerEntry => ({
  name,
  reach: { kind: 'origins', origins: [] },
  secret,
  transport: 'auto',
});

const tenant = (audience: string, ...peers: readonly string[]): TenantEntry => ({
  ...relayConfig().directory.tenants[0]!,
  name: audience,
  audiences: [audience],
  peers,
});

const directory = (part: Partial<Directory>): Directory => ({
  peers: [],
  clients: [],
  tenants: [],
  ...part,
});

const begin = (part: Partial<Directory>): Promise<DirectoryService> =>
  DirectoryService.begin(directory(part), new RelayName('relay-of-the-test'));

describe('the directory', () => {
  it('changes nothing, and tells nobody, if the entries are the same', async () => {
    const service = await begin({ peers: [peer('one')] });
    const before = service.current;
    const onChange = vi.fn();
    service.onChange(onChange);

    expect(await service.replace(directory({ peers: [peer('one')] }))).toBe(false);

    expect(service.current).toBe(before);
    expect(onChange).not.toHaveBeenCalled();
  });

  it('keeps the keys of a peer whose secrets are the same, and the peer itself if nothing about it has changed', async () => {
    const service = await begin({ peers: [peer('one'), peer('two')] });
    const [one, two] = service.current.peers;

    await service.replace(
      directory({ peers: [peer('one'), { ...peer('two'), transport: 'message' }] }),
    );

    expect(service.current.peers[0]).toBe(one);
    expect(service.current.peers[1]).not.toBe(two);
    expect(service.current.peers[1]?.keys).toBe(two?.keys);
  });

  it('keeps a peer, with its sessions and channels, that clients of this relay come to in another way', async () => {
    const service = await begin({ peers: [peer('one')] });
    const [one] = service.current.peers;

    await service.replace(directory({ peers: [{ ...peer('one'), hosts: ['api.example:80'] }] }));

    expect(service.current.peers[0]).toBe(one);
    expect(service.current.hosts.find('api.example')).toBe(one);
  });

  it('takes the changes in the order in which they came', async () => {
    const service = await begin({});
    const slow = service.replace(directory({ peers: [peer('slow')] }));
    const quick = service.replace(directory({}));
    await Promise.all([slow, quick]);
    expect(service.current.peers).toEqual([]);
  });

  it('leaves threads free for others while it derives the keys of many new peers', async () => {
    const service = await begin({});
    const peers = Array.from({ length: 12 }, (_, at) => peer(`peer-${at}`));
    const beganAtMs = performance.now();
    const replaced = service.replace(directory({ peers }));

    await readFile('package.json');
    const readMs = performance.now() - beganAtMs;

    await replaced;
    expect(readMs).toBeLessThan((performance.now() - beganAtMs) / 2);
  });

  it('knows an audience as its own after its tenant was removed, or closed to a peer', async () => {
    const audience = nameOfAudience(AUDIENCE);
    const service = await begin({
      peers: [peer('one')],
      tenants: [tenant(AUDIENCE, 'one')],
    });
    const kid = service.current.peers[0]!.keys.current.kid;
    const verdict = () => [service.accepts(audience, kid), service.isOwn(audience)];
    expect(verdict()).toEqual([true, true]);

    await service.replace(directory({ peers: [peer('one')], tenants: [tenant(AUDIENCE)] }));
    expect(verdict()).toEqual([false, true]);
    await service.replace(directory({ peers: [peer('one')] }));
    expect(verdict()).toEqual([false, true]);

    expect(service.isOwn(nameOfAudience('https://another.example'))).toBe(false);
  });

  it('keeps nothing of 1,000 earlier states', async () => {
    const clients = (round: number): Directory['clients'] =>
      Array.from({ length: 100 }, (_, at) => ({
        name: `client-${round}-${at}`,
        tokens: [{ sha256: round.toString(16).padStart(64, '0') }],
        limits: {},
      }));
    const service = await begin({ peers: [peer(OF_ENVIRONMENT)] });
    const replaceOften = async (from: number, to: number): Promise<void> => {
      for (let round = from; round < to; round += 1) {
        const tenants = [tenant(`https://tenant-${round}.example`)];
        await service.replace(
          directory({ peers: [peer(OF_ENVIRONMENT)], clients: clients(round), tenants }),
        );
      }
    };
    await replaceOften(0, 100);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;

    await replaceOften(100, 1_100);

    collectGarbage();
    // A state has about 40 KiB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * MEBIBYTE);
  });
});
