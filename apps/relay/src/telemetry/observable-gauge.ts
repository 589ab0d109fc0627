import { Gauge, type Registry } from 'prom-client';

/** A gauge whose values are asked for when somebody looks at them: keeping them costs nothing until then. */
export class AskedGauge<Value extends string> {
  private readonly questions = new Map<Value, () => number>();

  /** @param label - has a value for each question */
  constructor(registry: Registry, name: string, help: string, label: string) {
    const { questions } = this;
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        for (const [value, ask] of questions) {
          this.set({ [label]: value }, ask());
        }
      },
    });
  }

  /** Says who answers for a value of the label. */
  answerFor(value: Value, ask: () => number): void {
    this.questions.set(value, ask);
  }
}
