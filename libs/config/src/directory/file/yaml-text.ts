import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type ErrorCode,
  type Node,
} from 'yaml';

import { Problems, shownPath, type KeyPath } from './problems.js';

/** A mapping has no prototype, so that no key of a file means anything but itself. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainMapping;

/** A mapping of a file. */
export interface PlainMapping {
  readonly [key: string]: Plain;
}

/** What a file contains: strings, numbers, booleans, null, lists and mappings. */
export interface YamlContent {
  readonly content: Plain;
  /** Knows the line of each key. */
  readonly problems: Problems;
}

/** Far deeper than any key of a directory. */
const MAX_DEPTH = 12;
/** With aliases, a few lines can stand for billions of values. */
const MAX_VALUES = 200_000;

/** The messages of the parser quote the file, which may contain a secret by mistake. */
const SYNTAX: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'has a wrong indentation, or a bracket that is not closed',
  MISSING_CHAR: 'lacks a character: a quote, a bracket, a comma or a space',
  MULTILINE_IMPLICIT_KEY:
    'has a key without ":", or with its value on a line that begins too far left',
  MULTIPLE_DOCS: 'must be one document: "---" begins a second one',
  TAB_AS_INDENT: 'is indented with a tab: use spaces',
  TAG_RESOLVE_FAILED: 'must not have a tag ("!")',
};

/** No key of a directory, and each with a meaning of its own for objects. */
const OF_OBJECTS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a value is a mapping. */
export function isMapping(value: Plain | undefined): value is PlainMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class Reader {
  readonly #lines = new Map<string, number>();
  readonly #targets = new Map<Alias, Node>();
  readonly #lineCounter = new LineCounter();
  readonly problems: Problems;
  #values = 0;

  constructor(fileName: string) {
    this.problems = new Problems(
      (line) => `${fileName}:${line}: `,
      (path) => this.#lineOf(path),
    );
  }

  read(text: string): Plain {
    const document = parseDocument(text, {
      lineCounter: this.#lineCounter,
      prettyErrors: false,
      schema: 'core',
      merge: false,
      // Our own comparison takes linear time.
      uniqueKeys: false,
      // Not `silent`, with which a second document would be ignored.
      logLevel: 'error',
    });
    for (const { code, pos } of [...document.errors, ...document.warnings]) {
      this.#refuse(pos[0], SYNTAX[code] ?? `is not YAML here (${code})`);
    }
    if (document.errors.length > 0) {
      return null;
    }
    this.#resolveAliases(document);
    return this.#plain(document.contents, [], 0);
  }

  #resolveAliases(document: Document): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) {
          const target = anchors.get(node.source);
          if (target === undefined) {
            this.#refuse(
              positionOf(node),
              'has an alias without an anchor before it: text that begins with "*" needs quotes',
            );
          } else {
            this.#targets.set(node, target);
          }
        } else if (node.anchor !== undefined) {
          anchors.set(node.anchor, node);
        }
        if (node.tag !== undefined) {
          this.#refuse(node.range?.[0] ?? 0, 'must not have a tag ("!")');
        }
      },
    });
  }

  #plain(node: unknown, path: KeyPath, depth: number): Plain {
    this.#values += 1;
    if (depth > MAX_DEPTH || this.#values > MAX_VALUES) {
      if (depth > MAX_DEPTH || this.#values === MAX_VALUES + 1) {
        this.problems.add(path, depth > MAX_DEPTH ? 'is nested too deeply' : 'has too many values');
      }
      return null;
    }
    if (isAlias(node)) {
      return this.#plain(this.#targets.get(node), path, depth + 1);
    }
    if (isMap(node)) {
      return this.#mapping(node.items, path, depth);
    }
    if (isScalar(node)) {
      const { value } = node;
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : null;
    }
    const items =
      (node as { readonly items?: readonly unknown[] } | null | undefined)?.items ?? null;
    return items === null
      ? null
      : items.map((item, index) => {
          const itemPath = [...path, index];
          this.#note(itemPath, item);
          return this.#plain(item, itemPath, depth + 1);
        });
  }

  #mapping(items: readonly unknown[], path: KeyPath, depth: number): PlainMapping {
    const mapping = Object.create(null) as Record<string, Plain>;
    for (const pair of items) {
      if (!isPair(pair)) {
        continue;
      }
      const keyNode = isAlias(pair.key) ? this.#targets.get(pair.key) : pair.key;
      if (!isScalar(keyNode) || !['string', 'number', 'boolean'].includes(typeof keyNode.value)) {
        this.#refuse(positionOf(pair.key), 'must have a text as key');
        continue;
      }
      const key = String(keyNode.value);
      if (OF_OBJECTS.has(key)) {
        this.#refuse(positionOf(pair.key), `must not have the key ${key}`);
        continue;
      }
      if (key in mapping) {
        this.#refuse(positionOf(pair.key), 'repeats a key');
        continue;
      }
      const keyPath = [...path, key];
      this.#note(keyPath, pair.key);
      mapping[key] = this.#plain(pair.value, keyPath, depth + 1);
    }
    return mapping;
  }

  #note(path: KeyPath, node: unknown): void {
    const { line } = this.#lineCounter.linePos(positionOf(node));
    this.#lines.set(shownPath(path), Math.max(line, 1));
  }

  #lineOf(path: KeyPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(shownPath(path.slice(0, length)));
      if (line !== undefined) {
        return line;
      }
    }
    return 1;
  }

  #refuse(position: number, rule: string): void {
    this.problems.addAt(Math.max(this.#lineCounter.linePos(position).line, 1), rule);
  }
}

function positionOf(node: unknown): number {
  return (node as Partial<Node> | null)?.range?.[0] ?? 0;
}

/**
 * Parses a directory file as YAML, of which JSON is a subset. Tags are refused; anchors and aliases may be used, within a limit
 * on what they expand to.
 *
 * @param fileName - as the lines of problems show it
 */
export function readYaml(text: string, fileName: string): YamlContent {
  const reader = new Reader(fileName);
  const content = reader.read(text);
  return { content, problems: reader.problems };
}
