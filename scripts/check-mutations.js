/**
 * Proves that tests cover the defences named in test/mutations. Each patch there removes one
 * defence from a copy of the tree. The tests that the patch names pass without the patch and must fail with it.
 *
 * A patch begins with these lines, before the first `diff --git`:
 *   Tests: <files, separated by spaces>
 *   Titles: <pattern of the titles of the tests to run; optional>
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
import { offerHelp } from '../bin/arguments.js';

offerHelp(`Usage: npm run test:mutations -- [part of the name of a patch …]

Takes out one defence at a time, as the patches in test/mutations say: a test must turn red each time. Without a name
it takes all patches, and more than an hour.`);

/**
 * A patch and the tests that must fail with it.
 *
 * @typedef {object} Patch
 * @property {string} file
 * @property {string[]} tests
 * @property {string | undefined} titles
 */

const FOLDER = 'test/mutations';
const NODE_MODULES = 'node_modules';
const BUILD = 'test/support/processes/build-once.ts';
const REPORT = 'mutation-report.json';
/** Bounds what a mutation that hangs a test costs, and leaves slow machines enough time for the other tests. */
const TEST_LIMIT_MS = 60_000;

/**
 * @param {string} file
 * @returns {Patch}
 */
function readPatch(file) {
  const [head = ''] = readFileSync(join(FOLDER, file), 'utf8').split(/^diff --git /m);
  /** @param {string} name */
  const line = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1];
  const tests = line('Tests')?.split(' ');
  if (tests === undefined) {
    throw new Error(`${file} names no tests`);
  }
  return { file, tests, titles: line('Titles') };
}

/** Copies all files that are in the repository or could be added to it, as they are now. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'relay-mutation-'));
  const { stdout } = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const names = stdout.split('\0').filter((name) => name !== NODE_MODULES);
  // git lists a removed file until its removal is in the index.
  for (const file of names.filter((name) => existsSync(name))) {
    cpSync(file, join(copy, file));
  }
  symlinkSync(realpathSync(NODE_MODULES), join(copy, NODE_MODULES));
  // Tests run on the sources here: a build takes longer than most tests, and fails if a patch leaves a name unused.
  writeFileSync(join(copy, BUILD), 'export default () => undefined;\n');
  return copy;
}

/**
 * @param {string} cwd
 * @param {string[]} args
 */
function git(cwd, ...args) {
  return spawnSync('git', args, { cwd, encoding: 'utf8' });
}

/**
 * The vitest project of a test file. Only the projects that a patch needs are run, because the set-up of others builds
 * the relay.
 *
 * @param {string} file
 */
const projectOf = (file) =>
  /^test\/(integration|e2e|faults|page|security)\//.exec(file)?.[1] ?? 'unit';

/**
 * Runs the tests that a patch names.
 *
 * @param {string} cwd - the copy of the tree
 * @param {Patch} patch
 * @returns {{ passed: number, failed: number }} the number of tests
 */
function runTests(cwd, { tests, titles }) {
  rmSync(join(cwd, REPORT), { force: true });
  const only = titles === undefined ? [] : ['--testNamePattern', titles];
  const projects = tests.flatMap((file) => ['--project', projectOf(file)]);
  const args = [
    '--reporter=json',
    `--outputFile=${REPORT}`,
    '--bail=1',
    `--testTimeout=${TEST_LIMIT_MS}`,
  ];
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
  // A file that does not load has no tests that could fail.
  return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites) };
}

/**
 * Results of `passBefore`, because several patches name the same tests.
 *
 * @type {Map<string, boolean>}
 */
const passesBefore = new Map();

/**
 * Whether the tests that a patch names pass without the patch.
 *
 * @param {string} cwd
 * @param {Patch} patch
 */
function passBefore(cwd, patch) {
  const key = JSON.stringify([patch.tests, patch.titles]);
  let passes = passesBefore.get(key);
  if (passes === undefined) {
    const { passed, failed } = runTests(cwd, patch);
    passes = failed === 0 && passed > 0;
    passesBefore.set(key, passes);
  }
  return passes;
}

/**
 * Why a patch proves nothing, or undefined if its tests fail with it.
 *
 * @param {string} cwd
 * @param {Patch} patch
 */
function problemOf(cwd, patch) {
  if (!passBefore(cwd, patch)) {
    return 'its tests do not pass without it';
  }
  const file = resolve(FOLDER, patch.file);
  const applied = git(cwd, 'apply', '-C1', file);
  if (applied.status !== 0) {
    return `it does not apply: ${applied.stderr.trim()}`;
  }
  const { passed, failed } = runTests(cwd, patch);
  git(cwd, 'apply', '-C1', '--reverse', file);
  if (failed > 0) {
    return undefined;
  }
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
