import { html, type TemplateResult } from 'lit';
import type { RefusalStatus, StatusReport } from '@relay/status';

import { code } from '../text/codes.js';
import { name } from '../text/names.js';
import { count } from '../text/quantities.js';
import { moment } from '../text/times.js';
import { table, type Column } from './table.js';

/** The last refusals that have the text of the filter in one of their cells. */
export function refusals(
  { refusals: all, atMs }: StatusReport,
  filter: string,
  onFilter: (text: string) => void,
): TemplateResult {
  const shown = all.filter((refusal) => has(refusal, filter.trim().toLowerCase()));
  return html`<div class="filter">
      <label for="filter">Filter</label>
      <input
        id="filter"
        type="search"
        autocomplete="off"
        spellcheck="false"
        placeholder="Code, peer, client, request id"
        .value=${filter}
        @input=${({ target }: InputEvent) => {
          onFilter((target as HTMLInputElement).value);
        }}
      />
      <span class="aside">${count(shown.length)} of ${count(all.length)}</span>
    </div>
    ${table({
      caption: 'The last refusals, newest first',
      columns: columnsAt(atMs),
      rows: shown,
      key: ({ requestId, atMs: at, code: of, role }) => `${String(at)} ${requestId} ${of} ${role}`,
      ifEmpty: all.length === 0 ? 'Nothing was refused.' : 'No refusal has this text.',
    })}`;
}

function columnsAt(nowMs: number): readonly Column<RefusalStatus>[] {
  return [
    { title: 'Time', cell: ({ atMs }) => moment(atMs, nowMs) },
    { title: 'Code', cell: (refusal) => code(refusal.code) },
    {
      title: 'Status',
      isNumber: true,
      cell: ({ status }) => (status === undefined ? '' : String(status)),
    },
    { title: 'Role', cell: ({ role }) => name(role) },
    { title: 'Client', cell: ({ client }) => (client === undefined ? '' : name(client)) },
    { title: 'Peer', cell: ({ peer }) => (peer === undefined ? '' : name(peer)) },
    { title: 'Request id', cell: ({ requestId }) => html`<code>${name(requestId)}</code>` },
  ];
}

function has(
  { code: of, status, role, client, peer, requestId }: RefusalStatus,
  text: string,
): boolean {
  return [of, status, role, client, peer, requestId].some((value) =>
    String(value ?? '')
      .toLowerCase()
      .includes(text),
  );
}
