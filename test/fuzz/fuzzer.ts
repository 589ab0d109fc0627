import type { BlockCoverage } from './block-coverage.js';
import { mutantOf } from './mutant.js';
import { Random } from './random.js';

/**
 * A small coverage-guided fuzzer. jazzer.js, which brings libFuzzer to Node.js, has prebuilt addons that need a newer
 * libc than Node.js itself; otherwise install scripts build it, and this repository does not run any. So V8's block
 * coverage is the guide, and the loop is the usual one: mutate a known input, keep the mutants that reach a new block.
 */
export interface FuzzTarget {
  readonly name: string;
  /** The initial inputs. */
  readonly seeds: readonly Buffer[];
  /** Throws if the product does something with this input that it must never do. */
  readonly run: (input: Buffer) => void;
}

/** The limits of a run, which ends at the first that is reached. */
export interface FuzzBudget {
  readonly executions: number;
  readonly ms: number;
  /** Without coverage, only the seeds are mutated, which is quick. */
  readonly coverage?: BlockCoverage;
}

export interface FuzzReport {
  readonly executions: number;
  /** The number of blocks of the product that were reached; 0 without coverage. */
  readonly blocks: number;
  /** Inputs that reached a new block, without the seeds. */
  readonly found: readonly Buffer[];
}

/** The number of executions between two readings of the coverage. */
const BATCH = 256;

/**
 * Fuzzes one target. The same seed produces the same inputs.
 *
 * @throws Error that contains the input in hexadecimal, with the target's error as its cause
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

/** Finds the inputs that reach new blocks. */
class Guide {
  private readonly known = new Set<string>();

  /** Create it right after the seeds were run. */
  constructor(
    private readonly run: (inputs: readonly Buffer[]) => void,
    private readonly coverage: BlockCoverage,
  ) {
    this.learn(coverage.executed());
  }

  get blocks(): number {
    return this.known.size;
  }

  /** Runs the inputs, then runs halves of them again until those that reach new blocks are identified. */
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
