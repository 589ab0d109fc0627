/**
 * A reporter of vitest that keeps, for the end of a long run, which tests failed and which passed only when they were
 * repeated.
 *
 * @import { Reporter, TestCase } from 'vitest/node'
 */
import { recordFailures } from './results.js';

/**
 * @param {TestCase} test
 */
const titleOf = ({ fullName, module, project }) =>
  `${project.name}: ${module.relativeModuleId}: ${fullName}`;

/** @implements {Reporter} */
export default class FailuresReporter {
  /** @type {string[]} */
  #failed = [];
  /** @type {string[]} */
  #repeated = [];

  /** @param {TestCase} test */
  onTestCaseResult(test) {
    const { state, errors = [] } = test.result();
    const [reason = ''] = String(errors[0]?.message ?? '').split('\n');
    if (state === 'failed') {
      this.#failed.push(`${titleOf(test)}: ${reason}`);
    } else if (test.diagnostic()?.flaky === true) {
      this.#repeated.push(`${titleOf(test)}: ${reason}`);
    }
  }

  onTestRunEnd() {
    recordFailures({ failed: this.#failed, repeated: this.#repeated });
  }
}
