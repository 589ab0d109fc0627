import { resolve } from 'node:path';

import { check, type CheckOptions, type CheckReport } from '../../../apps/relay/src/check/check.js';
import type { Step, StepName } from '../../../apps/relay/src/check/steps.js';
import { runProgram, type ProgramRun } from '../programs/program.js';
import { DEFAULTS, type RelayEnvironment } from './relay.js';

/** What a check has found, and the steps by name. */
export interface TestCheck {
  readonly report: CheckReport;
  /** Those of the last origin. */
  readonly step: (name: StepName) => Step;
  /** The names of the steps that have failed. */
  readonly failed: readonly StepName[];
}

/** Nothing answers there: a check must not ask the store of the relay that it stands beside. */
const SURROUNDINGS = { REDIS_URL: 'redis://127.0.0.1:9', TUNNEL_TRANSPORT: 'auto' };
/** A test that passes needs far less, and one that waits for the limit says so. */
const LIMIT_MS = 10_000;

/** Checks a relay in this process, from beside a relay with the environment of the tests. */
export async function checkOf(
  target: string,
  environment: RelayEnvironment = {},
  options: Partial<CheckOptions> = {},
): Promise<TestCheck> {
  const report = await check({
    target,
    environment: { ...DEFAULTS, ...SURROUNDINGS, ...environment },
    limitMs: LIMIT_MS,
    ...options,
  });
  const step = (name: StepName): Step =>
    report.steps.findLast((entry) => entry.step === name) ?? { step: name, ok: null };
  const failed = report.steps.filter(({ ok }) => ok === false).map((entry) => entry.step);
  return { report, step, failed };
}

/** Runs the command with the build. */
export function runCheck(
  args: readonly string[],
  environment: RelayEnvironment = {},
): Promise<ProgramRun> {
  return runProgram(process.execPath, [resolve('bin/main.js'), 'check', ...args], {
    env: { ...DEFAULTS, ...SURROUNDINGS, ...environment },
  });
}
