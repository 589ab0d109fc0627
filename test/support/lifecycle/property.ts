/** Whether `SLOW=1` is set: every bit is tried, and many more random cases. The scheduled run sets it. */
export const isSlow = process.env['SLOW'] === '1';

/** The number of runs of a property, multiplied by 50 in slow runs. fast-check prints the seed of a failure. */
export function runs(count = 100): { readonly numRuns: number } {
  return { numRuns: isSlow ? count * 50 : count };
}
