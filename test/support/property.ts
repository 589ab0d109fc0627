/** `SLOW=1` drives every bit and many more random cases; the scheduled run sets it. */
export const isSlow = process.env['SLOW'] === '1';

/** How often a property is tried. fast-check prints the seed of a failure. */
export function runs(count = 100): { readonly numRuns: number } {
  return { numRuns: isSlow ? count * 50 : count };
}
