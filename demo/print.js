/** How the demo writes to a terminal. */

const MAX_VALUE_CHARACTERS = 72;
const BYTES_PER_ROW = 16;

const isStyled = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

/** @param {string} text */
const bold = (text) => (isStyled ? `\u001b[1m${text}\u001b[22m` : text);

/** @param {string} text */
export function printTitle(text) {
  console.log(`\n${bold(text)}\n`);
}

/** @param {string[]} lines */
export function printLines(lines) {
  for (const line of lines) {
    console.log(line === '' ? '' : `   ${line}`);
  }
}

/**
 * Prints an HTTP message.
 *
 * @param {string} firstLine
 * @param {string[]} rawHeaders - names and values in turn
 * @param {string[]} bodyLines - what to show of its body
 */
export function printMessage(firstLine, rawHeaders, bodyLines) {
  const headers = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.push(shortened(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`));
  }
  printLines([firstLine, ...headers, '', ...bodyLines]);
}

/**
 * Prints rows of cells: the first cell of a row is aligned left, all others right.
 *
 * @param {string[][]} rows
 */
export function printTable(rows) {
  /** @param {number} column */
  const widthOf = (column) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  printLines(
    rows.map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widthOf(column)) : cell.padStart(widthOf(column) + 3),
        )
        .join(''),
    ),
  );
}

/**
 * Rows of offset, hexadecimal and ASCII.
 *
 * @param {Buffer} bytes
 * @param {number} limit - shows no more bytes than that
 */
export function hexDump(bytes, limit) {
  const rows = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += BYTES_PER_ROW) {
    const row = bytes.subarray(at, Math.min(at + BYTES_PER_ROW, limit));
    const hex = row
      .toString('hex')
      .replaceAll(/../g, '$& ')
      .padEnd(BYTES_PER_ROW * 3);
    const ascii = row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.');
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex} ${ascii}`);
  }
  return rows;
}

/** @param {number} bytes */
export function bytesText(bytes) {
  return `${bytes.toLocaleString('en-US')} B`;
}

/** @param {number} ms */
export function msText(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** @param {string} line */
function shortened(line) {
  return line.length > MAX_VALUE_CHARACTERS ? `${line.slice(0, MAX_VALUE_CHARACTERS - 1)}…` : line;
}
