/** Reading a report. */
export const majorOf = ({ versions }) => Number(versions.node.split('.')[0]);

/** Digits that mean something: none behind 100, one behind 10, else two. */
export function digits(value) {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–';
  const places = [10, 100].filter((limit) => Math.abs(value) >= limit).length;
  return value.toLocaleString('en-US', {
    maximumFractionDigits: 2 - places,
    minimumFractionDigits: 2 - places,
  });
}

const percent = (share) => `${Math.round(share * 100)} %`;

const cell = (text) => String(text).replaceAll('|', '\\|');

export function markdownTable(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const NODE = 'Node.js';

/** One row for each key and report, the reports of one key below each other. */
export function rows(reports, part, row) {
  const keys = new Set(reports.flatMap((report) => Object.keys(part(report))));
  return [...keys].flatMap((key) =>
    reports
      .filter((report) => key in part(report))
      .map((report) => [key, majorOf(report), ...row(part(report)[key], key, report)]),
  );
}

export const withSpread = (value, spread) => `${digits(value)} (${percent(spread)})`;

/** Speed and CPU time of transfers in one direction. */
export const transfer = ({ mibPerSecond, cpuMillisPerMib, spread }) => [
  withSpread(mibPerSecond, spread),
  cpuMillisPerMib > 0 ? digits(cpuMillisPerMib) : '–',
];
export const TRANSFER_HEAD = ['down, MiB/s', 'CPU ms/MiB', 'up, MiB/s', 'CPU ms/MiB'];
