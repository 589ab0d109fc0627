import { html, type TemplateResult } from 'lit';

import type { Connection } from '../live/live-status.js';
import { duration } from '../text/quantities.js';
import { badge } from './states.js';

const MS = 1000;

/** Whether what the page shows is true now, in a few words. */
export function liveBadge({ kind }: Connection): TemplateResult {
  switch (kind) {
    case 'live':
      return badge('good', '●', 'Live');
    case 'connecting':
      return badge('quiet', '…', 'Connecting');
    case 'stale':
    case 'unreachable':
    case 'refused':
      return badge('bad', '✕', 'Stale');
  }
}

/** Says that the page shows the past, and since when. The age counts, so it is not in the region that is read out. */
export function banner(connection: OldConnection, hasReport: boolean): TemplateResult {
  const { title, advice } = words(connection);
  const age = html`<span class="age">${duration(connection.seconds * MS)}</span>`;
  return html`<div class="banner">
    <p>
      <strong>Stale: ${title}</strong>
      ${hasReport ? html`What you see was true ${age} ago.` : html`Nothing has arrived for ${age}.`}
    </p>
    <p>${advice}</p>
  </div>`;
}

type OldConnection = Extract<Connection, { seconds: number }>;

/** A sentence for who does not see the page, about a change. */
export function announced(connection: Connection): string {
  return 'seconds' in connection
    ? `Stale: ${words(connection).title}`
    : connection.kind === 'live'
      ? 'Live'
      : '';
}

interface Words {
  readonly title: string;
  readonly advice: string;
}

function words(connection: OldConnection): Words {
  switch (connection.kind) {
    case 'stale':
      return {
        title: 'the relay sends no news.',
        advice:
          'The connection is open: the relay may be suspended or very busy. The page goes on by itself.',
      };
    case 'unreachable':
      return {
        title: 'the relay cannot be reached.',
        advice: 'It may be stopped, or the way to it is cut. The page tries again by itself.',
      };
    case 'refused': {
      const { status, advice } = connection.refusal;
      return { title: `the relay responds with status ${String(status)}.`, advice };
    }
  }
}
