import type { StatusReport } from '@relay/status';

import { calledBy, shortName } from '../text/names.js';

/** What has become reachable or unreachable from one report to the next, in sentences. */
export function changes(before: StatusReport | undefined, now: StatusReport): readonly string[] {
  if (before === undefined) {
    return [];
  }
  const old = statesOf(before);
  return [...statesOf(now)].flatMap(([key, { name, isLost }]) => {
    const was = old.get(key);
    if (was === undefined || was.isLost === isLost) {
      return [];
    }
    return [`${name} is ${isLost ? 'unreachable' : 'reachable again'}.`];
  });
}

interface Reached {
  readonly name: string;
  readonly isLost: boolean;
}

function statesOf({ peers, tenants, store }: StatusReport): Map<string, Reached> {
  return new Map([
    ...peers.map((peer): [string, Reached] => [
      `peer ${peer.role} ${calledBy(peer)}`,
      { name: `The peer ${shortName(peer)}`, isLost: peer.state === 'unreachable' },
    ]),
    ...tenants.map(({ name, upstream, state }): [string, Reached] => [
      `tenant ${name ?? ''} ${upstream}`,
      {
        name: `The upstream ${shortName({ name, origin: upstream })}`,
        isLost: state === 'unreachable',
      },
    ]),
    ['store', { name: 'The session store', isLost: store.state === 'unavailable' }],
  ]);
}
