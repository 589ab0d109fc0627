/**
 * `npm run test:mutations`: proves that the defences named in test/mutations are defended by tests. Each patch there
 * takes one defence out of a copy of the tree; the tests that it names, which pass without it, then have to fail.
 *
 * A patch begins with lines of its own, before the first `diff --git`:
 *   Tests: <files, separated by spaces>
 *   Titles: <pattern of the titles of the tests to run; optional>
 * Arguments choose patches by a part of their names.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FOLDER = 'test/mutations';
const NODE_MODULES = 'node_modules';
const BUILD = 'test/support/build-once.ts';
const REPORT = 'mutation-report.json';

function readPatch(file) {
  const [head] = readFileSync(join(FOLDER, file), 'utf8').split(/^diff --git /m);
  const line = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1];
  const tests = line('Tests')?.split(' ');
  if (tests === undefined) throw new Error(`${file} names no tests`);
  return { file, tests, titles: line('Titles') };
}

/** A copy of everything that is in the repository or could be added to it, as it is at this moment. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'relay-mutation-'));
  const { stdout } = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  // What was removed is listed until the index knows it.
  for (const file of stdout
    .split('\0')
    .filter((name) => existsSync(name) && name !== NODE_MODULES)) {
    cpSync(file, join(copy, file));
  }
  symlinkSync(realpathSync(NODE_MODULES), join(copy, NODE_MODULES));
  // Patches are tried on the sources. A build takes longer than most tests, and a patch may leave a name unused.
  writeFileSync(join(copy, BUILD), 'export default () => undefined;\n');
  return copy;
}

function git(cwd, ...args) {
  return spawnSync('git', args, { cwd, encoding: 'utf8' });
}

/** Only the projects that a patch needs: the set-up of others would build the relay, for nothing and in vain. */
const projectOf = (file) => /^test\/(integration|e2e|faults|security)\//.exec(file)?.[1] ?? 'unit';

/** Runs the tests that a patch names in a copy; returns how many passed and failed. */
function runTests(cwd, { tests, titles }) {
  rmSync(join(cwd, REPORT), { force: true });
  const only = titles === undefined ? [] : ['--testNamePattern', titles];
  const projects = tests.flatMap((file) => ['--project', projectOf(file)]);
  const args = ['--reporter=json', `--outputFile=${REPORT}`, '--bail=1', '--testTimeout=20000'];
  spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...args, ...only, ...tests],
    {
      cwd,
      stdio: 'ignore',
    },
  );
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(join(cwd, REPORT), 'utf8'),
  );
  // A file that does not load has no tests to fail.
  return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites) };
}

/** Whether the tests of a patch pass without it; several patches share theirs. */
const passesBefore = new Map();
function passBefore(cwd, patch) {
  const key = JSON.stringify([patch.tests, patch.titles]);
  if (!passesBefore.has(key)) {
    const { passed, failed } = runTests(cwd, patch);
    passesBefore.set(key, failed === 0 && passed > 0);
  }
  return passesBefore.get(key);
}

/** What is wrong with a patch as a proof, or undefined. */
function problemOf(cwd, patch) {
  if (!passBefore(cwd, patch)) return 'its tests do not pass without it';
  const file = resolve(FOLDER, patch.file);
  const applied = git(cwd, 'apply', '-C1', file);
  if (applied.status !== 0) return `it does not apply: ${applied.stderr.trim()}`;
  const { passed, failed } = runTests(cwd, patch);
  git(cwd, 'apply', '-C1', '--reverse', file);
  if (failed > 0) return undefined;
  return passed > 0 ? 'no test fails with it' : 'its tests did not run with it';
}

const chosen = process.argv.slice(2);
const patches = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.patch'))
  .filter((file) => chosen.length === 0 || chosen.some((part) => file.includes(part)))
  .map(readPatch);
const copy = copyTree();
let problems = 0;
try {
  for (const patch of patches) {
    const startedAt = Date.now();
    const problem = problemOf(copy, patch);
    problems += problem === undefined ? 0 : 1;
    const name = patch.file.replace('.patch', '');
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    console.log(`${name.padEnd(26)} ${`${seconds} s`.padStart(5)}  ${problem ?? 'noticed'}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${patches.length - problems} passed, ${problems} failed`);
process.exitCode = problems === 0 && patches.length > 0 ? 0 : 1;
