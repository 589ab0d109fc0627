import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../docs');

/**
 * The text of the first fenced block of a language under a heading of a document in docs, for instance that of `nginx` under
 * `### nginx`.
 */
export function documentedBlock(
  heading: string,
  language: string,
  document = 'deployment.md',
): string {
  const section = readFileSync(join(folder, document), 'utf8')
    .split(/\n(?=#{2,3} )/)
    .find((part) => part.startsWith(`### ${heading}\n`));
  const [, block] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section ?? '') ?? [];
  if (block === undefined) {
    throw new Error(`docs/${document} has no block ${language} under ${heading}`);
  }
  return block;
}

const NEXT = /relay-b\.internal:8080/g;
const LISTENER = /\*?:?\b8080\b/g;

/** A block as an operator would fill it in: this one forwards from one loopback port to another. */
export function filledIn(block: string, from: number, to: number): string {
  return block
    .replace('"relay-b.internal"', '"127.0.0.1"')
    .replace('.port = "8080"', `.port = "${to}"`)
    .replaceAll(NEXT, `127.0.0.1:${to}`)
    .replaceAll(LISTENER, `127.0.0.1:${from}`);
}
