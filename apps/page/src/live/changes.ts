import type { PeerStatus, StatusReport } from '@relay/status';

import { calledBy, shortName } from '../text/names.js';

/** What has become reachable or unreachable from one report to the next, in sentences. */
export function changes(before: StatusReport | undefined, now: StatusReport): readonly string[] {
  if (before === undefined) {
    return [];
  }
  const old = partiesOf(before);
  return [...partiesOf(now)].flatMap(([key, { name, reach }]) => {
    const was = old.get(key)?.reach;
    if (was === undefined || was === reach) {
      return [];
    }
    if (reach === 'lost') {
      return [`${name} is unreachable.`];
    }
    const isBack = reach === 'there' && (was === 'lost' || was === 'forgotten');
    return isBack ? [`${name} is reachable again.`] : [];
  });
}

/** `forgotten`: it was lost, and whether it still is is not known. `untried`: it has not been needed yet. */
type Reach = 'there' | 'lost' | 'forgotten' | 'untried';

interface Party {
  readonly name: string;
  readonly reach: Reach;
}

const OF_PEERS: Readonly<Record<PeerStatus['state'], Reach>> = {
  paired: 'there',
  reachable: 'there',
  unreachable: 'lost',
  unknown: 'forgotten',
  unused: 'untried',
};
const OF_TENANTS = { reachable: 'there', unreachable: 'lost', unknown: 'untried' } as const;

function partiesOf({ peers, tenants, store }: StatusReport): Map<string, Party> {
  return new Map<string, Party>([
    ...peers.map((peer): [string, Party] => [
      `peer ${peer.role} ${calledBy(peer)}`,
      { name: `The peer ${shortName(peer)}`, reach: OF_PEERS[peer.state] },
    ]),
    ...tenants.map(({ name, upstream, state }): [string, Party] => [
      `tenant ${name ?? ''} ${upstream}`,
      { name: `The upstream ${shortName({ name, origin: upstream })}`, reach: OF_TENANTS[state] },
    ]),
    [
      'store',
      { name: 'The session store', reach: store.state === 'unavailable' ? 'lost' : 'there' },
    ],
  ]);
}
