import { Session, type Profiler } from 'node:inspector';

/** Whose blocks count: what is fuzzed, and not what fuzzes. */
const SOURCES = /\/(?:libs|apps)\/.*(?<!\.spec)\.ts$/;

/**
 * Which blocks of the product were executed, from V8's own block coverage: no instrumentation and no native addon, and
 * the same on every Node.js. Reading it takes about a millisecond, so it is read once for many executions. It has to be
 * there before what it watches runs for the first time: V8 counts the blocks of functions that it compiles from then on.
 */
export class BlockCoverage {
  private readonly session = new Session();

  constructor() {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that were executed since the last call, each by a name. */
  executed(): string[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    // The session is of this thread: it calls back before it returns.
    this.session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
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
