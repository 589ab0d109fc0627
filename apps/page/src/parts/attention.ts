import { html, type TemplateResult } from 'lit';
import type { StatusReport } from '@relay/status';

import { shortName, visible } from '../text/names.js';
import { counted, expiry } from '../text/quantities.js';
import { end } from '../text/times.js';
import { failures } from './failures.js';
import type { Finding } from './finding.js';
import { badge } from './states.js';

/** What an operator should look at first. */
export function attention(report: StatusReport): TemplateResult {
  const findings = findingsOf(report);
  if (findings.length === 0) {
    return html`<p class="all-well">${badge('good', '✓', 'Nothing needs attention.')}</p>`;
  }
  return html`<ul class="findings">
    ${findings.map(
      ({ isBad, text, section, reason }) =>
        html`<li>
          ${badge(isBad ? 'bad' : 'warning', isBad ? '✕' : '!', html`<a href="#${section}">${text}</a>${reason}`)}
        </li>`,
    )}
  </ul>`;
}

function findingsOf(report: StatusReport): Finding[] {
  return [
    ...unreachable(report.peers, 'peer', 'peers'),
    ...unreachable(
      report.tenants.map(({ name, upstream, state }) => ({ name: name ?? upstream, state })),
      'upstream',
      'tenants',
    ),
    ...failures(report),
    ...notKnown(report),
    ...ofStore(report),
    ...ofRelay(report),
    ...ofTokens(report),
  ];
}

interface Reached {
  readonly name?: string | undefined;
  readonly origin?: string | undefined;
  readonly state: string;
}

/** One line however many there are: the table has them all. */
function unreachable(parties: readonly Reached[], one: string, section: string): Finding[] {
  const lost = parties.filter(({ state }) => state === 'unreachable');
  const [first] = lost;
  if (first === undefined) {
    return [];
  }
  const text =
    lost.length === 1
      ? html`The ${one} <bdi>${shortName(first)}</bdi> is unreachable`
      : html`${counted(lost.length, one)} are unreachable`;
  return [{ isBad: true, text, section }];
}

/** A peer that was unreachable, and is not probed any more. */
function notKnown({ peers }: StatusReport): Finding[] {
  const forgotten = peers.filter(({ state }) => state === 'unknown');
  const [first] = forgotten;
  if (first === undefined) {
    return [];
  }
  const parties =
    forgotten.length === 1
      ? html`the peer <bdi>${shortName(first)}</bdi>`
      : counted(forgotten.length, 'peer');
  const text = html`It is not known whether ${parties} can be reached: there was no request for a
  while`;
  return [{ isBad: false, text, section: 'peers' }];
}

function ofStore({ store }: StatusReport): Finding[] {
  const warnings = store.warnings.map((text) => ({
    isBad: false,
    text: visible(text),
    section: 'store',
  }));
  return store.state === 'available'
    ? warnings
    : [{ isBad: true, text: 'The session store is unavailable', section: 'store' }, ...warnings];
}

function ofRelay({ relay, atMs }: StatusReport): Finding[] {
  const findings: Finding[] = [];
  if (relay.directory === 'refused') {
    const text = 'The directory file breaks a rule: the one before it is in use';
    findings.push({ isBad: true, text, section: 'relay' });
  }
  const endsAtMs = relay.certificateEndsAtMs;
  if (endsAtMs !== undefined && expiry(endsAtMs, atMs) !== 'far') {
    const text = html`The certificate ends: ${end(endsAtMs, atMs)}`;
    findings.push({ isBad: expiry(endsAtMs, atMs) === 'past', text, section: 'relay' });
  }
  return findings;
}

function ofTokens({ clients, atMs }: StatusReport): Finding[] {
  const ending = clients.flatMap((client) => {
    const { tokenEndsAtMs: endsAtMs } = client;
    return endsAtMs === undefined || expiry(endsAtMs, atMs) === 'far' ? [] : [{ client, endsAtMs }];
  });
  const [first] = ending;
  if (first === undefined) {
    return [];
  }
  const text =
    ending.length === 1
      ? html`A token of <bdi>${shortName(first.client)}</bdi> ends: ${end(first.endsAtMs, atMs)}`
      : html`Tokens of ${counted(ending.length, 'client')} end within two weeks, or have ended`;
  return [{ isBad: ending.some(({ endsAtMs }) => endsAtMs <= atMs), text, section: 'clients' }];
}
