/**
 * `npm run audit`: asks the registry for known vulnerabilities of the production dependencies. Exit code 0: it knows
 * none; 1: it knows some, or npm failed otherwise; 2: it did not answer, which says nothing about the dependencies. It
 * is no part of `npm test`: a gate that asks a service of others fails without a change of ours.
 */
import { spawnSync } from 'node:child_process';

const FOUND_NONE = 0;
const FOUND_SOME = 1;
const NOT_ANSWERED = 2;

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
});

function readReport() {
  try {
    return JSON.parse(stdout);
  } catch {
    // npm writes no JSON where it does not get as far as asking.
    return { message: stderr.trim() };
  }
}

const { vulnerabilities, message = 'no report' } = readReport();
if (vulnerabilities === undefined) {
  console.error(`The registry did not answer, so nothing was audited: ${message}`);
  process.exitCode = NOT_ANSWERED;
} else {
  const found = Object.values(vulnerabilities);
  for (const { name, severity, range } of found) {
    console.log(`${name} ${range}: ${severity}`);
  }
  console.log(`${found.length} production dependencies with known vulnerabilities`);
  process.exitCode = found.length === 0 ? FOUND_NONE : FOUND_SOME;
}
