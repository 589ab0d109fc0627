import { Refused } from '../../rules/rule.js';

/** A key path in a directory file: keys of mappings, and positions in lists, counted from 0. */
export type KeyPath = readonly (string | number)[];

/** Keys with any other character are quoted in a path: the origins of tenants. */
const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** Shows a path as operators write it: `clients.billing.tokens[0].sha256`. */
export function shownPath(path: KeyPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') {
        return `[${step}]`;
      }
      const isPlain = PLAIN_KEY.test(step);
      return isPlain ? `${index === 0 ? '' : '.'}${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('');
}

interface Problem {
  readonly line: number;
  readonly text: string;
}

/** Collects what is wrong with a directory file, or with a variable of the same form: with the key, and never with a value. */
export class Problems {
  readonly #placeOf: (line: number) => string;
  /** The line of a path, counted from 1; that of its nearest parent if the path is not in the file. */
  readonly lineOf: (path: KeyPath) => number;
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];

  /** @param placeOf - what a problem on a line begins with */
  constructor(placeOf: (line: number) => string, lineOf: (path: KeyPath) => number) {
    this.#placeOf = placeOf;
    this.lineOf = lineOf;
  }

  /** @param rule - the end of a sentence that begins with the key */
  add(path: KeyPath, rule: string): void {
    this.#errors.push(this.#problem(path, rule));
  }

  /** Returns a value that has been read, or adds why it was refused and returns undefined. */
  accept<T>(path: KeyPath, value: T | Refused): T | undefined {
    if (!(value instanceof Refused)) {
      return value;
    }
    value.problems.forEach((rule) => {
      this.add(path, rule);
    });
    return undefined;
  }

  /** Adds a problem at a line that has no key: `rule` stands alone. */
  addAt(line: number, rule: string): void {
    this.#errors.push({ line, text: rule });
  }

  /** @param observation - the end of a sentence that begins with the key */
  warn(path: KeyPath, observation: string): void {
    this.#warnings.push(this.#problem(path, observation));
  }

  /** In the order of the file, each once. */
  get errors(): readonly string[] {
    return this.#shown(this.#errors);
  }

  /** In the order of the file, each once. */
  get warnings(): readonly string[] {
    return this.#shown(this.#warnings);
  }

  #problem(path: KeyPath, rule: string): Problem {
    return { line: this.lineOf(path), text: `${shownPath(path)} ${rule}`.trimStart() };
  }

  #shown(problems: readonly Problem[]): readonly string[] {
    const inOrder = problems.toSorted((one, other) => one.line - other.line);
    return [...new Set(inOrder.map(({ line, text }) => `${this.#placeOf(line)}${text}`))];
  }
}
