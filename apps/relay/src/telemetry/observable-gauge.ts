import { Gauge, type Registry } from 'prom-client';

/** An argument of gauges with a label. Those without one have a single value, and do not take it. */
type IfLabelled<Value extends string, Argument> = [Value] extends [never] ? [] : [Argument];

/**
 * A gauge whose values are read when metrics are collected, so keeping them up to date costs nothing in between.
 *
 * @typeParam Value - the values of its label, if it has one
 */
export class ObservableGauge<Value extends string = never> {
  private readonly readers = new Map<string | undefined, () => number>();

  /** @param labels - the name of the label that distinguishes the values, if there is one */
  constructor(
    registry: Registry,
    name: string,
    help: string,
    ...labels: IfLabelled<Value, string>
  ) {
    const { readers } = this;
    const [label] = labels as readonly string[];
    new Gauge({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [registry],
      collect() {
        for (const [value, read] of readers) {
          if (label === undefined || value === undefined) {
            this.set(read());
          } else {
            this.set({ [label]: value }, read());
          }
        }
      },
    });
  }

  /**
   * Registers the function that reads a value.
   *
   * @param values - the value of the label, if the gauge has one
   */
  observe(read: () => number, ...values: IfLabelled<Value, Value>): void {
    const [value] = values as readonly string[];
    this.readers.set(value, read);
  }
}
