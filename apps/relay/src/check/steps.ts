import { REMEDIES, type FindingCode } from './findings.js';

/** What is checked, in the order in which it is printed. The names are stable. */
export const STEPS = [
  'configuration',
  'resolve',
  'connect',
  'tls',
  'relay',
  'path',
  'secret',
  'audience',
  'clock',
  'store',
  'pairing',
  'message',
  'channel',
  'websocket',
  'request',
] as const;
export type StepName = (typeof STEPS)[number];

/** The detail of a step that depends on one which has failed. */
export const NOT_REACHED = 'not reached';

/** How one step ended. */
export interface Step {
  readonly step: StepName;
  /** The origin that was checked; a peer may have several. */
  readonly origin?: string | undefined;
  /** null: not reached, or not applicable. */
  readonly ok: boolean | null;
  /** What was found, or why the step was left out. */
  readonly detail?: string | undefined;
  readonly code?: FindingCode | undefined;
  readonly cause?: string | undefined;
  /** What the operator can do. */
  readonly todo?: string | undefined;
  readonly ms?: number | undefined;
}

/** A step has failed, for a reason that the operator can act on. */
export class StepFailedError extends Error {
  constructor(
    readonly code: FindingCode,
    message: string,
  ) {
    super(message);
  }
}

/** The steps of one origin, each of which is reported as soon as it has ended. */
export class Steps {
  private readonly ended = new Set<StepName>();

  /** @param onStep - called for each step, in their order */
  constructor(
    private readonly origin: string | undefined,
    private readonly onStep: (step: Step) => void,
  ) {}

  pass(step: StepName, detail: string, ms?: number): void {
    this.end({ step, ok: true, detail, ms });
  }

  fail(step: StepName, { code, message }: StepFailedError, ms?: number): void {
    this.end({ step, ok: false, code, cause: message, todo: REMEDIES[code], ms });
  }

  skip(step: StepName, reason: string): void {
    this.end({ step, ok: null, detail: reason });
  }

  /** Leaves out all steps that have not ended. */
  skipRest(reason: string): void {
    for (const step of STEPS) {
      if (!this.ended.has(step)) {
        this.skip(step, reason);
      }
    }
  }

  /**
   * Runs a step.
   *
   * @param otherwise - the code if the work throws what is no StepFailedError
   * @returns what the work has returned, or undefined if it has failed
   */
  async run<T>(
    step: StepName,
    otherwise: FindingCode,
    work: () => Promise<{ readonly detail: string; readonly value: T }>,
  ): Promise<T | undefined> {
    const startedAtMs = performance.now();
    const passedMs = (): number => Math.round(performance.now() - startedAtMs);
    try {
      const { detail, value } = await work();
      this.pass(step, detail, passedMs());
      return value;
    } catch (error) {
      const failure =
        error instanceof StepFailedError
          ? error
          : new StepFailedError(otherwise, (error as Error).message);
      this.fail(step, failure, passedMs());
      return undefined;
    }
  }

  private end(step: Step): void {
    const { origin } = this;
    const { step: name, detail, cause, ...rest } = step;
    this.ended.add(name);
    this.onStep({ step: name, origin, ...rest, detail: harmless(detail), cause: harmless(cause) });
  }
}

/** Of what strangers have written, as much as anybody reads. */
const MAX_TEXT_CHARACTERS = 1_000;

/** Certificates, gateways and APIs have a say in what is printed: none of them may move the cursor, or begin a line. */
function harmless(text: string | undefined): string | undefined {
  return text?.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, MAX_TEXT_CHARACTERS);
}

/** What a promise gives, or undefined if it has not settled in time. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  // What fails afterwards concerns nobody.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
