import { Gauge, type Registry } from 'prom-client';

/** A gauge whose values are read when metrics are collected, so keeping them up to date costs nothing in between. */
export class ObservableGauge<Value extends string = string> {
  private readonly readers = new Map<Value | undefined, () => number>();

  /** @param label - the label that tells the values apart; none for a gauge of a single value */
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
   * Registers how a value is read.
   *
   * @param value - of the label, if the gauge has one
   */
  observe(read: () => number, value?: Value): void {
    this.readers.set(value, read);
  }
}
