import { Gauge, type Registry } from 'prom-client';

/** A gauge whose values are read when metrics are collected, so keeping them up to date costs nothing in between. */
export class ObservableGauge<Value extends string = string> {
  private readonly readers = new Map<Value | undefined, () => number>();

  /** @param label - the name of the label that distinguishes the values; undefined for a gauge with a single value */
  constructor(registry: Registry, name: string, help: string, label?: string) {
    const { readers } = this;
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
   * @param value - the value of the label, if the gauge has one
   */
  observe(read: () => number, value?: Value): void {
    this.readers.set(value, read);
  }
}
