/** The figures as Markdown: where they come from, targets and tables. */
import { majorOf } from './results.mjs';
import { tables } from './tables.mjs';
import { targetsTable } from './targets.mjs';

/** @import { Report } from './results.mjs' */

/** @param {Report} report */
function origin(report) {
  const { measuredOn, machine, plan, seconds } = report;
  const { node, nodeFlags, ...versions } = report.versions;
  const others = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const flags = nodeFlags.length > 0 ? ` with ${nodeFlags.join(' ')}` : '';
  const { slices, warmUpSeconds } = plan.slices;
  const disturbed = Object.values(report.small)
    .flatMap((load) => Object.values(load))
    .reduce((sum, { dropped }) => sum + dropped, 0);
  const text = [
    `**Node.js ${node}**${flags}, ${measuredOn}: ${machine.cores} cores of ${machine.cpu},`,
    `${machine.memoryGib} GiB, ${machine.system}, Linux ${machine.kernel}; ${others.join(', ')};`,
    `${plan.isBrief ? 'a brief run' : 'a whole run'} of ${seconds} s: ${slices} slices per chain and load after`,
    `${warmUpSeconds} s of warm-up, ${disturbed} slices dropped`,
    `([all figures](performance/node-${majorOf(report)}.json)).`,
  ];
  return `- ${wrapped(text.join(' ')).join('\n  ')}`;
}

/**
 * Lines of at most about a hundred characters.
 *
 * @param {string} text
 * @returns {string[]}
 */
const wrapped = (text) => text.match(/\S.{0,100}(?=\s|$)/g) ?? [];

/** @param {Report[]} reports */
export function section(reports) {
  const parts = Object.entries(tables(reports)).map(([heading, texts]) =>
    [`### ${heading}`, ...texts].join('\n\n'),
  );
  return [
    reports.map(origin).join('\n'),
    '## Targets',
    targetsTable(reports),
    '## Figures',
    ...parts,
  ].join('\n\n');
}
