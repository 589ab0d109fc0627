import { html, nothing, type TemplateResult } from 'lit';
import type { PeerStatus, StatusReport } from '@relay/status';

import { visible } from '../text/names.js';
import { count, decimal, duration } from '../text/quantities.js';
import { moment } from '../text/times.js';
import { endOf } from './parties.js';
import { badge, state } from './states.js';

const DIRECTORY = {
  none: 'From the environment variables',
  'in use': badge('good', '✓', 'The file is in use'),
  refused: badge('bad', '✕', 'The file breaks a rule: the one before it is in use'),
} as const;

/** What an operator wants to know at a glance. */
export function figures({ relay, traffic, peers, atMs }: StatusReport): TemplateResult {
  return html`<dl class="figures">
    ${figure('Requests/s', decimal(traffic.requestsPerSecond))}
    ${figure('Under way', count(relay.underWay))}
    ${relay.roles.includes('outbound') ? figure('Peers reachable', reachable(peers)) : nothing}
    ${figure('Workers', count(relay.workers))}
    ${figure('Uptime', duration(atMs - relay.startedAtMs))}
  </dl>`;
}

/** Nobody here reaches the peers that only call. */
function reachable(peers: readonly PeerStatus[]): string {
  const called = peers.filter(({ role, state: of }) => role === 'outbound' && of !== 'unused');
  const lost = called.filter(({ state: of }) => of === 'unreachable').length;
  const unknown = called.filter(({ state: of }) => of === 'unknown').length;
  const share = `${count(called.length - lost - unknown)} of ${count(called.length)}`;
  return unknown === 0 ? share : `${share}, ${count(unknown)} not known`;
}

const figure = (title: string, value: string): TemplateResult =>
  html`<div>
    <dt>${title}</dt>
    <dd>${value}</dd>
  </div>`;

/** What is true of this relay as long as its configuration stays. */
export function facts({ relay, atMs }: StatusReport): TemplateResult {
  return html`<dl class="facts">
      ${fact('Version', `${relay.version}, on Node.js ${relay.nodeVersion.replace(/^v/, '')}`)}
      ${fact('Roles', relay.roles.join(' and ') || 'none')}
      ${fact('Running since', moment(relay.startedAtMs, atMs))}
      ${fact('Directory', DIRECTORY[relay.directory])}
      ${fact('Certificate ends', relay.certificateEndsAtMs === undefined ? 'None: plain HTTP' : endOf(relay.certificateEndsAtMs, atMs))}
    </dl>
    <details class="config">
      <summary>Configuration</summary>
      <dl>
        ${Object.entries(relay.config).map(
          ([key, value]) =>
            html`<dt>${visible(key)}</dt>
              <dd><code>${visible(JSON.stringify(value))}</code></dd>`,
        )}
      </dl>
    </details>`;
}

const fact = (title: string, value: unknown): TemplateResult =>
  html`<div>
    <dt>${title}</dt>
    <dd>${value}</dd>
  </div>`;

/** The store of the sessions. */
export function store({ store: { kind, state: of, warnings } }: StatusReport): TemplateResult {
  return html`<dl class="facts">
      ${fact('Kind', kind === 'redis' ? 'Redis' : 'Memory of this process')}
      ${fact('State', state(of))}
    </dl>
    ${
      warnings.length === 0
        ? nothing
        : html`<ul class="findings">
            ${warnings.map((text) => html`<li>${badge('warning', '!', visible(text))}</li>`)}
          </ul>`
    }`;
}
