import { STEPS, type Step } from './steps.js';

const MARKS = { true: '✓', false: '✗', null: '–' } as const;
const NAME_WIDTH = Math.max(...STEPS.map((name) => name.length));

/** A step in one line: what was found, or what is wrong and what to do. */
export function lineOf({ step, ok, detail, code, cause, todo, ms }: Step): string {
  const mark = MARKS[String(ok) as keyof typeof MARKS];
  const name = step.padEnd(NAME_WIDTH);
  const time = ms === undefined ? '' : ` (${ms} ms)`;
  return ok === false
    ? `${mark} ${name}  ${code ?? ''}: ${cause ?? ''}${time}. ${todo ?? ''}`
    : `${mark} ${name}  ${detail ?? ''}${time}`;
}
