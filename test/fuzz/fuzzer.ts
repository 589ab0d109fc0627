import type { BlockCoverage } from './block-coverage.js';
import { mutantOf } from './mutant.js';
import { Random } from './random.js';

/**
 * A small coverage-guided fuzzer. What libFuzzer brings to Node.js, jazzer.js, has prebuilt addons that need a newer
 * libc than Node.js itself, and is built by install scripts otherwise, which this repository does not run; so the guide
 * is V8's block coverage, and the loop is the usual one: change an input that is known, keep what reaches a new block.
 */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with. */
  readonly seeds: readonly Buffer[];
  /** Throws where the product does something with this input that it never may. */
  readonly run: (input: Buffer) => void;
}

/** When to end: whichever comes first. */
export interface FuzzBudget {
  readonly executions: number;
  readonly ms: number;
  /** Without it the seeds alone are changed, which is quick. */
  readonly coverage?: BlockCoverage;
}

export interface FuzzReport {
  readonly executions: number;
  /** Blocks of the product that were reached; 0 without a guide. */
  readonly blocks: number;
  /** Inputs that reached a block which none before them had reached; the seeds are not among them. */
  readonly found: readonly Buffer[];
}

/** Executions between two readings of the coverage. */
const BATCH = 256;

/**
 * The same seed gives the same inputs.
 *
 * @throws Error with the input in hexadecimal, and with what the target threw as its cause
 */
export function fuzz(target: FuzzTarget, budget: FuzzBudget, seed = 1): FuzzReport {
  const random = new Random(seed);
  const corpus = [...target.seeds];
  const endsAt = performance.now() + budget.ms;
  let executions = 0;
  const run = (inputs: readonly Buffer[]): void => {
    inputs.forEach((input) => {
      runOne(target, input);
    });
    executions += inputs.length;
  };

  run(target.seeds);
  const guide = budget.coverage === undefined ? undefined : new Guide(run, budget.coverage);
  while (executions < budget.executions && performance.now() < endsAt) {
    const batch = Array.from({ length: BATCH }, () =>
      mutantOf(random.oneOf(corpus), random, corpus),
    );
    if (guide === undefined) {
      run(batch);
    } else {
      corpus.push(...guide.newAmong(batch));
    }
  }
  return { executions, blocks: guide?.blocks ?? 0, found: corpus.slice(target.seeds.length) };
}

/** Tells which inputs reach blocks that none before them reached. */
class Guide {
  private readonly known = new Set<string>();

  /** To be made right after the seeds were run. */
  constructor(
    private readonly run: (inputs: readonly Buffer[]) => void,
    private readonly coverage: BlockCoverage,
  ) {
    this.learn(coverage.executed());
  }

  get blocks(): number {
    return this.known.size;
  }

  /** Runs them, and again in halves until it is known which were new. */
  newAmong(inputs: readonly Buffer[]): readonly Buffer[] {
    this.run(inputs);
    const executed = this.coverage.executed();
    if (executed.every((block) => this.known.has(block))) {
      return [];
    }
    if (inputs.length === 1) {
      this.learn(executed);
      return inputs;
    }
    const half = inputs.length >> 1;
    return [...this.newAmong(inputs.slice(0, half)), ...this.newAmong(inputs.slice(half))];
  }

  private learn(executed: readonly string[]): void {
    executed.forEach((block) => this.known.add(block));
  }
}

function runOne({ name, run }: FuzzTarget, input: Buffer): void {
  try {
    run(input);
  } catch (cause) {
    throw new Error(`${name} fails on ${input.toString('hex')}`, { cause });
  }
}
