import { html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';

/** A column of a table of `Row`s. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => unknown;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

interface Table<Row> {
  readonly caption: string;
  /** The first has the headings of the rows. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly key: (row: Row) => string;
  /** What stands in place of a table without rows. */
  readonly ifEmpty: string;
}

/**
 * A table, each row of which becomes a card where there is no room: its cells then name their columns. The roles are
 * written out, because styles that make blocks of rows and cells take them away.
 */
export function table<Row>({ caption, columns, rows, key, ifEmpty }: Table<Row>): TemplateResult {
  if (rows.length === 0) {
    return html`<p class="empty">${ifEmpty}</p>`;
  }
  return html`<table role="table">
    <caption class="unseen">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({ title, isNumber }) =>
            html`<th role="columnheader" scope="col" class=${classOf(isNumber)}>${title}</th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${repeat(
        rows,
        key,
        (row) =>
          html`<tr role="row">
            ${columns.map((column, at) => cellOf(column, row, at))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function cellOf<Row>({ title, cell, isNumber }: Column<Row>, row: Row, at: number): TemplateResult {
  if (at === 0) {
    return html`<th role="rowheader" scope="row">${cell(row)}</th>`;
  }
  const content = cell(row);
  const kind = `${classOf(isNumber)}${content === '' ? ' blank' : ''}`;
  return html`<td role="cell" class=${kind} data-column=${title}>${content}</td>`;
}

const classOf = (isNumber = false): string => (isNumber ? 'number' : 'text');
