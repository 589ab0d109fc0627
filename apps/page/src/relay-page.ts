import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { INTERVAL_SECONDS, MAX_INTERVALS, type StatusReport } from '@relay/status';

import { changes } from './live/changes.js';
import { LiveStatus } from './live/live-status.js';
import { attention } from './parts/attention.js';
import { announced, banner, liveBadge } from './parts/connection-banner.js';
import { clients, peers, tenants } from './parts/parties.js';
import { refusals } from './parts/refusals.js';
import { facts, figures, store } from './parts/relay-facts.js';

/** More peers that change at once are not read out one by one. */
const MAX_ANNOUNCED = 3;

const HISTORY_MS = MAX_INTERVALS * INTERVAL_SECONDS * 1000;
const TITLE = 'MTE API Relay';

interface Section {
  readonly id: string;
  readonly title: string;
  readonly count?: number;
  readonly content: TemplateResult;
}

/** The page. It is drawn into the document itself, where one style sheet is for all of it. */
export class RelayPage extends LitElement {
  private readonly live = new LiveStatus(this);
  private filter = '';
  private reported: StatusReport | undefined;
  private connection = '';
  private announcement = '';

  protected override createRenderRoot(): this {
    // What index.html says until there is the page.
    this.replaceChildren();
    return this;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { report, connection } = this.live;
    const sentences: string[] = [];
    if (announced(connection) !== this.connection) {
      this.connection = announced(connection);
      sentences.push(this.connection);
    }
    if (report !== undefined && report !== this.reported) {
      sentences.push(...changes(this.reported, report));
      this.reported = report;
    }
    if (sentences.length > 0) {
      this.announcement = sentences.slice(0, MAX_ANNOUNCED).join(' ');
    }
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    document.title = 'seconds' in this.live.connection ? `Stale: ${TITLE}` : TITLE;
  }

  protected override render(): TemplateResult {
    const { report, connection } = this.live;
    const isStale = 'seconds' in connection;
    const sections = report === undefined ? [] : this.sectionsOf(report);
    return html`<a class="skip" href="#main">To the content</a>
      <header class="top">
        <div class="title">
          <h1>${TITLE}</h1>
          ${report === undefined ? '' : html`<span class="aside">${report.relay.roles.join(' and ')}, ${report.relay.version}</span>`}
        </div>
        <nav aria-label="Sections">
          ${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}
        </nav>
        ${liveBadge(connection)}
      </header>
      <div class="unseen" role="status" aria-live="polite">${this.announcement}</div>
      <main id="main" tabindex="-1" class=${isStale ? 'is-stale' : ''}>
        ${isStale ? banner(connection, report !== undefined) : ''}
        ${report === undefined ? html`<p class="empty">No report of the relay has arrived yet.</p>` : this.overview(report)}
        ${sections.map(section)}
      </main>
      <footer class="aside">
        <a href="troubleshooting.html">Troubleshooting</a> <a href="summary">Plain summary</a>
        <a href="status.json">status.json</a> <a href="metrics">Metrics</a>
        <a href="licenses.txt">Licences</a>
      </footer>`;
  }

  private overview(report: StatusReport): TemplateResult {
    return html`<section aria-labelledby="overview">
      <h2 id="overview" class="unseen">Overview</h2>
      ${figures(report)} ${attention(report)}
    </section>`;
  }

  private sectionsOf(report: StatusReport): Section[] {
    return [
      {
        id: 'traffic',
        title: 'Last hour',
        content: html`<traffic-charts
          .history=${this.live.history}
          .hasRequestsNow=${hasRequestsNow(report)}
        ></traffic-charts>`,
      },
      { id: 'peers', title: 'Peers', count: report.peers.length, content: peers(report) },
      { id: 'clients', title: 'Clients', count: report.clients.length, content: clients(report) },
      { id: 'tenants', title: 'Tenants', count: report.tenants.length, content: tenants(report) },
      {
        id: 'refusals',
        title: 'Refusals',
        count: report.refusals.length,
        content: refusals(report, this.filter, (text) => {
          this.filter = text;
          this.requestUpdate();
        }),
      },
      { id: 'store', title: 'Session store', content: store(report) },
      { id: 'relay', title: 'This relay', content: facts(report) },
    ];
  }
}

/** All requests of a relay that is younger than the history are in it, or will be. */
function hasRequestsNow({ traffic, relay, atMs }: StatusReport): boolean {
  const isYoung = atMs - relay.startedAtMs < HISTORY_MS;
  return traffic.requestsPerSecond > 0 || (isYoung && traffic.requests > 0);
}

function section({ id, title, count, content }: Section): TemplateResult {
  return html`<section id=${id} aria-labelledby="${id}-title">
    <h2 id="${id}-title">
      ${title}${count === undefined ? '' : html` <span class="aside">${count}</span>`}
    </h2>
    ${content}
  </section>`;
}
