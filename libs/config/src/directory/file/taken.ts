import { shownPath, type KeyPath, type Problems } from './problems.js';

/** Values that may belong to one entry only. */
export class Taken {
  readonly #owners = new Map<string, { readonly owner: string; readonly path: KeyPath }>();
  readonly #problems: Problems;
  readonly #rule: (other: string) => string;

  /** @param rule - the end of a sentence that begins with the key; `other` is the path of the value's first owner */
  constructor(problems: Problems, rule: (other: string) => string) {
    this.#problems = problems;
    this.#rule = rule;
  }

  /** Reports the value if another owner has it. */
  take(value: string | undefined, path: KeyPath, owner: string): void {
    if (value === undefined) {
      return;
    }
    const first = this.#owners.get(value);
    if (first === undefined) {
      this.#owners.set(value, { owner, path });
    } else if (first.owner !== owner) {
      this.#problems.add(path, this.#rule(shownPath(first.path)));
    }
  }
}
