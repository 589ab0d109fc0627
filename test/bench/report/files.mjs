/** The files that a benchmark writes: its report, and from all reports the figures and the chart of the documentation. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { URL, fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

import { chart } from './chart.mjs';
import { majorOf } from './results.mjs';
import { section } from './section.mjs';

/** @import { Report } from './results.mjs' */

/** @param {string} name - of a file in docs */
const path = (name) => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
const FOLDER = path('performance/');
const DOCUMENT = path('performance.md');
const BEGIN = '<!-- Written by `npm run bench`, from here -->';
const END = '<!-- to here -->';

/**
 * @param {string} text
 * @param {string} name - of the file, which selects the formatter
 */
async function formatted(text, name) {
  return format(text, { ...(await resolveConfig(name)), filepath: name });
}

/** @returns {Report[]} from the oldest Node.js to the newest */
const readReports = () =>
  readdirSync(FOLDER)
    .filter((name) => /^node-\d+\.json$/.test(name))
    .map((name) => /** @type {Report} */ (JSON.parse(readFileSync(FOLDER + name, 'utf8'))))
    .sort((one, other) => majorOf(one) - majorOf(other));

/** Writes the figures and the chart, which follow from the reports. */
export async function render() {
  const reports = readReports();
  const text = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from) {
    throw new Error(`${DOCUMENT} has no place for the figures`);
  }
  const parts = [text.slice(0, from) + BEGIN, section(reports), text.slice(to)];
  writeFileSync(DOCUMENT, await formatted(parts.join('\n\n'), DOCUMENT));
  writeFileSync(path('performance.svg'), chart(reports));
}

/**
 * Saves a report. It replaces the previous one of the same major version of Node.js.
 *
 * @param {Report} report
 */
export async function save(report) {
  const file = `${FOLDER}node-${majorOf(report)}.json`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, await formatted(JSON.stringify(report), file));
  await render();
}

/**
 * One report as text for a terminal.
 *
 * @param {Report} report
 */
export const show = (report) => formatted(section([report]), DOCUMENT);
