import { html, type TemplateResult } from 'lit';
import type { RefusalStatus, StatusReport, TrafficStatus } from '@relay/status';

import { code, remedy } from '../text/codes.js';
import { shortName } from '../text/names.js';
import { counted } from '../text/quantities.js';
import type { Finding } from './finding.js';

/** More parties of a kind are counted: the table has them all. */
const MAX_NAMED = 3;
const MOST = 0.5;

interface Counted {
  readonly name?: string | undefined;
  readonly origin?: string | undefined;
  readonly traffic: TrafficStatus;
  readonly lastRefusal?: RefusalStatus | undefined;
}

/** Whose requests fail more often than not at present, and why. */
export function failures({ peers, clients, traffic }: StatusReport): Finding[] {
  const called = peers.filter(({ role }) => role === 'outbound');
  const calling = peers.filter(({ role }) => role === 'inbound');
  const findings = [
    ...ofParties(called, 'to', 'peer', 'peers'),
    ...ofParties(calling, 'of', 'peer', 'peers'),
    ...ofParties(clients, 'of', 'client', 'clients'),
  ];
  return findings.length === 0 && isFailing(traffic)
    ? [{ isBad: true, text: 'Most requests fail', section: 'refusals' }]
    : findings;
}

function ofParties(
  parties: readonly Counted[],
  preposition: string,
  one: string,
  section: string,
): Finding[] {
  const failing = parties.filter((party) => isFailing(party.traffic));
  if (failing.length > MAX_NAMED) {
    const text = `Most requests ${preposition} ${counted(failing.length, one)} fail`;
    return [{ isBad: true, text, section }];
  }
  return failing.map((party) => ({
    isBad: true,
    text: html`Most requests ${preposition} the ${one} <bdi>${shortName(party)}</bdi> fail`,
    section,
    reason: reasonOf(party.lastRefusal),
  }));
}

function isFailing({ requestsPerSecond, errorsPerSecond }: TrafficStatus): boolean {
  return errorsPerSecond > 0 && errorsPerSecond >= requestsPerSecond * MOST;
}

function reasonOf(last: RefusalStatus | undefined): TemplateResult | undefined {
  return last === undefined
    ? undefined
    : html`: ${code(last.code)} <span class="aside advice">${remedy(last.code)}</span>`;
}
