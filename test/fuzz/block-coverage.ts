import { Session, type Profiler } from 'node:inspector';

/** The files whose blocks count: the product, not the fuzzer or the tests. */
const SOURCES = /\/(?:libs|apps)\/.*(?<!\.spec)\.ts$/;

/**
 * Reports which blocks of the product were executed, from V8's own block coverage: without instrumentation or a native
 * addon, on every version of Node.js. Reading the coverage takes about a millisecond, so it is read once for many
 * executions. Create the object before the product first runs: V8 counts only functions that it compiles afterwards.
 */
export class BlockCoverage {
  private readonly session = new Session();

  constructor() {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The names of the blocks that were executed since the last call. */
  executed(): string[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    // The session belongs to this thread, so it calls back before `post` returns.
    this.session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) {
        throw error;
      }
      scripts = result;
    });
    return scripts
      .filter(({ url }) => SOURCES.test(url))
      .flatMap(({ scriptId, functions }) =>
        functions
          .flatMap(({ ranges }) => ranges)
          .filter(({ count }) => count > 0)
          .map(({ startOffset, endOffset }) => `${scriptId}:${startOffset}-${endOffset}`),
      );
  }
}
