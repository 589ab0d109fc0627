/** What docs/operations.md says of an error code. */
export interface ErrorCodeText {
  readonly meaning: string;
  /** What an operator does about it; undefined for codes that only accompany others. */
  readonly remedy: string | undefined;
}

export type ErrorCodes = Readonly<Record<string, ErrorCodeText>>;

const SECTION = '## Error codes';
const SAME = 'The same';

/** Reads the tables of a document's section about error codes: the first column is the code, and the last the remedy. */
export function errorCodesOf(document: string): ErrorCodes {
  const [, section = ''] = document.split(`\n${SECTION}\n`);
  const [tables = ''] = section.split(/^## /m);
  const codes: Record<string, ErrorCodeText> = {};
  for (const table of tables.split(/^### /m)) {
    let above: ErrorCodeText = { meaning: '', remedy: undefined };
    for (const cells of rowsOf(table)) {
      const [code = '', ...rest] = cells;
      above = textOf(rest, above);
      // Some codes stand in two tables: the first is about what clients see.
      codes[code] ??= above;
    }
  }
  return codes;
}

/** Rows of five columns have a remedy; those of two only say what a code means; others are about something else. */
function textOf(cells: readonly string[], above: ErrorCodeText): ErrorCodeText {
  const [meaning = '', remedy] = cells.length === 4 ? cells.slice(2) : cells;
  return {
    meaning: meaning.startsWith(SAME) ? meaning.replace(SAME, above.meaning) : meaning,
    remedy: remedy === SAME ? above.remedy : remedy,
  };
}

function rowsOf(table: string): string[][] {
  const rows = [...table.matchAll(/^\| `RELAY_.*\|$/gm)].map(([line]) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => plainText(cell.trim())),
  );
  return rows.filter(({ length }) => length === 2 || length === 5);
}

/** Markdown without its marks: the page shows it as text. */
function plainText(markdown: string): string {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replaceAll('\\|', '|');
}
