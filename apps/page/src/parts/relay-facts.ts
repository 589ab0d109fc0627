import { html, nothing, type TemplateResult } from 'lit';
import type { StatusReport } from '@relay/status';

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
export function figures({ relay, peers, atMs }: StatusReport): TemplateResult {
  const rate = peers.reduce((sum, { traffic }) => sum + traffic.requestsPerSecond, 0);
  const inUse = peers.filter(({ state: of }) => of !== 'unused');
  const lost = peers.filter(({ state: of }) => of === 'unreachable').length;
  return html`<dl class="figures">
    ${figure('Requests/s', decimal(rate))} ${figure('Under way', count(relay.underWay))}
    ${figure('Peers reachable', `${count(inUse.length - lost)} of ${count(inUse.length)}`)}
    ${figure('Workers', count(relay.workers))}
    ${figure('Uptime', duration(atMs - relay.startedAtMs))}
  </dl>`;
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
