import uPlot from 'uplot';

const HEIGHT_PX = 170;
/** Has room for five digits, or three and a unit. */
const AXIS_WIDTH_PX = 64;
const AXIS_HEIGHT_PX = 26;
/** Half of the last time on the axis stands behind the end of the lines. */
const RIGHT_PX = 18;
const HOUR_S = 3600;
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const DASH_PX = [5, 4];
const POINT_PX = 6;

/** One line of a chart. */
export interface Line {
  /** The custom property of the style sheet that has its colour. */
  readonly colour: string;
  readonly isDashed?: boolean;
  readonly isFilled?: boolean;
}

interface Drawing {
  readonly lines: readonly Line[];
  readonly label: (value: number) => string;
  /** Told the interval under the pointer; undefined if there is none. */
  readonly onPoint: (index: number | undefined) => void;
}

/** A chart of the last hour in an element, as wide as that is, in the colours of the style sheet. */
export class Plot {
  private plot: uPlot;
  private values: uPlot.AlignedData;
  private readonly scheme = matchMedia('(prefers-color-scheme: dark)');
  private readonly resized = new ResizeObserver(() => {
    this.plot.setSize({ width: this.element.clientWidth, height: HEIGHT_PX });
  });
  private readonly redraw = (): void => {
    this.plot.destroy();
    this.plot = this.draw();
  };

  constructor(
    private readonly element: HTMLElement,
    private readonly drawing: Drawing,
  ) {
    this.values = [[], ...drawing.lines.map(() => [])];
    this.plot = this.draw();
    this.resized.observe(element);
    this.scheme.addEventListener('change', this.redraw);
  }

  show(values: uPlot.AlignedData): void {
    this.values = values;
    this.plot.setData(values);
  }

  close(): void {
    this.resized.disconnect();
    this.scheme.removeEventListener('change', this.redraw);
    this.plot.destroy();
  }

  private draw(): uPlot {
    const styles = getComputedStyle(this.element);
    const colour = (property: string): string => styles.getPropertyValue(property).trim();
    const axis = {
      stroke: colour('--muted'),
      font: `12px ${styles.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const { lines, label, onPoint } = this.drawing;
    return new uPlot(
      {
        width: this.element.clientWidth,
        height: HEIGHT_PX,
        padding: [8, RIGHT_PX, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        hooks: {
          setCursor: [
            ({ cursor }) => {
              onPoint(cursor.idx ?? undefined);
            },
          ],
        },
        scales: {
          x: { range: (_plot, _min, max) => [max - HOUR_S, max] },
          y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] },
        },
        axes: [
          {
            ...axis,
            size: AXIS_HEIGHT_PX,
            grid: { show: false },
            values: (_plot, at) => at.map(clock),
          },
          { ...axis, size: AXIS_WIDTH_PX, values: (_plot, at) => at.map(label) },
        ],
        series: [
          {},
          ...lines.map(({ colour: property, isDashed, isFilled }) => ({
            stroke: colour(property),
            width: 1.5,
            // A value between gaps has no line.
            points: { show: false, filter: isolated, size: POINT_PX },
            ...(isDashed === true && { dash: DASH_PX }),
            ...(isFilled === true && { fill: colour(`${property}-fill`) }),
          })),
        ],
      },
      this.values,
      this.element,
    );
  }
}

/** Which values of a line have none beside them. */
function isolated({ data }: uPlot, line: number): number[] {
  const values = data[line] ?? [];
  return [...values.keys()].filter(
    (at) => isKnown(values[at]) && !isKnown(values[at - 1]) && !isKnown(values[at + 1]),
  );
}

const isKnown = (value: number | null | undefined): boolean =>
  value !== null && value !== undefined;

const clock = (seconds: number): string => CLOCK.format(seconds * 1000);
