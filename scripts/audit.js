/** `npm run audit` is not part of `npm test`: a gate that depends on an external service fails without a change of ours. */
import { spawnSync } from 'node:child_process';
import { readOptions } from '../bin/arguments.js';

readOptions(
  `Usage: npm run audit

Asks the npm registry for known vulnerabilities of the production dependencies. Exit code 0: there are none; 1: there
are some, or npm failed for another reason; 2: the registry did not respond, so nothing is known.`,
  {},
);

/**
 * The report of `npm audit --json`, as far as it is used here.
 *
 * @typedef {object} AuditReport
 * @property {Record<string, { name: string, severity: string, range: string }>} [vulnerabilities]
 * @property {string} [message] - why there is no report
 */

const FOUND_NONE = 0;
const FOUND_SOME = 1;
const NO_RESPONSE = 2;

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
});

/** @returns {AuditReport} */
function readReport() {
  try {
    return JSON.parse(stdout);
  } catch {
    // npm writes no JSON if it fails before it sends a request.
    return { message: stderr.trim() };
  }
}

const { vulnerabilities, message = 'no report' } = readReport();
if (vulnerabilities === undefined) {
  console.error(`The registry did not respond, so nothing was audited: ${message}`);
  process.exitCode = NO_RESPONSE;
} else {
  const found = Object.values(vulnerabilities);
  for (const { name, severity, range } of found) {
    console.log(`${name} ${range}: ${severity}`);
  }
  console.log(`production dependencies with known vulnerabilities: ${found.length}`);
  process.exitCode = found.length === 0 ? FOUND_NONE : FOUND_SOME;
}
