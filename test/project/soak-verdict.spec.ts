import { describe, expect, it } from 'vitest';

interface Verdict {
  readonly rise: number;
  readonly highest: number;
  readonly isSteady: boolean;
}

/** The soak runs on plain Node.js, so its modules are JavaScript, which the types of the tests do not cover. */
const { verdictOn } = (await import(
  new URL('../bench/soak/verdict.mjs', import.meta.url).href
)) as {
  verdictOn: (series: {
    readonly name: string;
    readonly values: readonly number[];
    readonly maxRise: number;
    readonly limit?: number;
  }) => Verdict;
};

const judge = (values: readonly number[], limit?: number): Verdict =>
  verdictOn({ name: 'A rssMib', values, maxRise: 8, ...(limit !== undefined && { limit }) });

const series = (value: (at: number) => number): number[] =>
  Array.from({ length: 360 }, (_, at) => value(at));
/** As the heap between two collections. */
const sawtooth = (at: number): number => (at % 12) * 2.5;

/** MiB every 15 s under the mixed load, on Node.js 20: without a setting of the allocator, and with that of `npm start`. */
const RECORDED = {
  usual: [
    136, 137, 137, 137, 139, 141, 143, 145, 146, 147, 149, 151, 153, 155, 156, 157, 159, 159, 160,
    161, 161, 147, 153, 155, 159, 164, 165, 167, 167, 168, 169, 170, 171, 175, 177, 179, 180, 182,
    183, 185, 187, 188, 190, 191, 194,
  ],
  trimmed: [
    128, 128, 128, 127, 127, 126, 126, 126, 126, 126, 126, 126, 126, 126, 126, 126, 126, 126, 126,
    126, 111, 112, 117, 118, 121, 125, 125, 125, 125, 125, 125, 125, 125, 125, 125, 125, 125, 125,
    125, 125, 125, 125, 125, 125, 125,
  ],
};

describe('the verdict of a soak', () => {
  it('is that memory is steady which levels off', () => {
    expect(judge(series((at) => 150 - 40 * Math.exp(-at / 30) + sawtooth(at)))).toMatchObject({
      isSteady: true,
    });
  });

  it('is that memory rises which rises evenly by 10 MiB in the second half', () => {
    const { isSteady, rise } = judge(series((at) => 130 + at / 18 + sawtooth(at)));

    expect(isSteady).toBe(false);
    expect(rise).toBeGreaterThan(8);
    expect(rise).toBeLessThan(11);
  });

  it('does not follow a peak, a dip or the end of the load', () => {
    const values = series((at) => 130 + sawtooth(at));
    values.fill(190, 250, 262);
    values.fill(60, 300, 306);
    values.fill(70, 350);

    expect(judge(values)).toMatchObject({ isSteady: true });
  });

  it('is not steady above the limit, however flat', () => {
    expect(
      judge(
        series(() => 201),
        200,
      ),
    ).toMatchObject({ isSteady: false, rise: 0, highest: 201 });
    expect(
      judge(
        series(() => 199),
        200,
      ),
    ).toMatchObject({ isSteady: true });
  });

  it('is not steady without a measurement', () => {
    expect(judge([])).toMatchObject({ isSteady: false });
  });

  it('on recorded runs: the usual allocator rises, that of npm start is steady', () => {
    expect(judge(RECORDED.usual)).toMatchObject({ isSteady: false });
    expect(judge(RECORDED.trimmed)).toMatchObject({ isSteady: true });
  });
});
