import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { INTERVAL_SECONDS, type TrafficHistory } from '@relay/status';

import { decimal, milliseconds } from '../text/quantities.js';
import { minuteOf } from '../text/times.js';
import { table } from '../parts/table.js';
import {
  historyRows,
  requestsSentence,
  timesSentence,
  type HistoryRow,
} from './history-summary.js';
import { Plot } from './plot.js';

const MS = 1000;

/** The charts of the last hour. Who does not see them has the sentences below them, and a table. */
export class TrafficCharts extends LitElement {
  static override properties = {
    history: { attribute: false },
    hasRequestsNow: { attribute: false },
  };

  declare history: TrafficHistory | undefined;
  declare hasRequestsNow: boolean;
  private plots: readonly Plot[] = [];
  /** The interval under the pointer. */
  private point: number | undefined;

  protected override createRenderRoot(): this {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.plots.forEach((plot) => {
      plot.close();
    });
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    const onPoint = (index: number | undefined): void => {
      this.point = index;
      this.requestUpdate();
    };
    const [first, second] = this.querySelectorAll<HTMLElement>('.plot');
    if (first !== undefined && second !== undefined) {
      const requests = [{ colour: '--series-1', isFilled: true }, { colour: '--series-bad' }];
      const times = [{ colour: '--series-1' }, { colour: '--series-2', isDashed: true }];
      this.plots = [
        new Plot(first, { lines: requests, label: decimal, onPoint }),
        new Plot(second, { lines: times, label: milliseconds, onPoint }),
      ];
    }
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { history } = this;
    if (changed.has('history') && history !== undefined) {
      const { seconds, requests, errors, p50Ms, p99Ms } = history;
      const [first, second] = this.plots;
      first?.show([[...seconds], requests.map(perSecond), errors.map(perSecond)]);
      second?.show([[...seconds], [...p50Ms], [...p99Ms]]);
    }
  }

  protected override render(): TemplateResult {
    const { history } = this;
    return html`<div class="charts">
        <figure>
          <p class="chart-title">Requests and errors per second</p>
          ${this.legend(
            ['line-1', 'Requests', (at) => decimal(perSecond(history?.requests[at] ?? 0))],
            ['line-bad', 'Errors', (at) => decimal(perSecond(history?.errors[at] ?? 0))],
          )}
          <div class="plot" aria-hidden="true"></div>
          <figcaption>
            ${history === undefined ? '' : requestsSentence(history, this.hasRequestsNow)}
          </figcaption>
        </figure>
        <figure>
          <p class="chart-title">Response times</p>
          ${this.legend(
            ['line-1', 'p50', (at) => milliseconds(history?.p50Ms[at])],
            ['line-2', 'p99', (at) => milliseconds(history?.p99Ms[at])],
          )}
          <div class="plot" aria-hidden="true"></div>
          <figcaption>${history === undefined ? '' : timesSentence(history)}</figcaption>
        </figure>
      </div>
      ${history === undefined ? '' : asTable(history)}`;
  }

  private legend(...lines: readonly LegendLine[]): TemplateResult {
    const at = this.point;
    const second = at === undefined ? undefined : this.history?.seconds[at];
    return html`<p class="legend" aria-hidden="true">
      ${lines.map(
        ([line, title, value]) =>
          html`<span
            ><span class="line ${line}"></span>${title}
            <b>${at === undefined ? '' : value(at)}</b></span
          >`,
      )}
      <span class="aside">${second === undefined ? '' : minuteOf(second * MS)}</span>
    </p>`;
  }
}

type LegendLine = readonly [line: string, title: string, value: (at: number) => string];

const perSecond = (count: number): number => count / INTERVAL_SECONDS;

function asTable(history: TrafficHistory): TemplateResult {
  return html`<details>
    <summary>The last hour as a table</summary>
    ${table<HistoryRow>({
      caption: 'The last hour, in rows of five minutes',
      columns: [
        { title: 'From', cell: ([time]) => time },
        { title: 'Requests', isNumber: true, cell: ([, requests]) => requests },
        { title: 'Errors', isNumber: true, cell: ([, , errors]) => errors },
        { title: 'Highest p99', isNumber: true, cell: ([, , , p99]) => p99 },
      ],
      rows: historyRows(history),
      key: ([time]) => time,
      ifEmpty: 'Nothing was recorded yet.',
    })}
  </details>`;
}
