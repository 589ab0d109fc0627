import { html, type TemplateResult } from 'lit';
import type { RefusalStatus, TrafficStatus } from '@relay/status';

import { code, remedy } from '../text/codes.js';
import { count, decimal, milliseconds } from '../text/quantities.js';
import { ago } from '../text/times.js';
import type { Column } from './table.js';

interface Counted {
  readonly traffic: TrafficStatus;
  readonly lastRefusal?: RefusalStatus | undefined;
}

/** What is counted of peers and of clients. */
export function trafficColumns(nowMs: number): readonly Column<Counted>[] {
  return [
    {
      title: 'Requests/s',
      isNumber: true,
      cell: ({ traffic }) => decimal(traffic.requestsPerSecond),
    },
    { title: 'p50', isNumber: true, cell: ({ traffic }) => milliseconds(traffic.p50Ms) },
    { title: 'p99', isNumber: true, cell: ({ traffic }) => milliseconds(traffic.p99Ms) },
    { title: 'Requests', isNumber: true, cell: ({ traffic }) => count(traffic.requests) },
    { title: 'Errors', isNumber: true, cell: ({ traffic }) => errors(traffic.errors) },
    { title: 'Last refusal', cell: ({ lastRefusal }) => refusal(lastRefusal, nowMs) },
  ];
}

const errors = (value: number): unknown =>
  value === 0 ? '0' : html`<span class="some-errors">${count(value)}</span>`;

function refusal(last: RefusalStatus | undefined, nowMs: number): TemplateResult | string {
  if (last === undefined) {
    return '';
  }
  return html`<div class="last-refusal">
    <p>${code(last.code)} <span class="aside">${ago(last.atMs, nowMs)}</span></p>
    <p class="aside">${remedy(last.code)}</p>
  </div>`;
}
