/** How the demo writes to a terminal. */

const MAX_VALUE_CHARACTERS = 72;
const BYTES_A_ROW = 16;

const isStyled = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const bold = (text) => (isStyled ? `\u001b[1m${text}\u001b[22m` : text);

export function printTitle(text) {
  console.log(`\n${bold(text)}\n`);
}

export function printLines(lines) {
  for (const line of lines) console.log(line === '' ? '' : `   ${line}`);
}

/** An HTTP message: its first line, header lines, and what is to be seen of its body. */
export function printMessage(firstLine, rawHeaders, bodyLines) {
  const headers = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.push(shortened(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`));
  }
  printLines([firstLine, ...headers, '', ...bodyLines]);
}

/** @param rows - arrays of cells; the first cell of a row is aligned left, all others right */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  printLines(
    rows.map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column] + 3),
        )
        .join(''),
    ),
  );
}

/** Rows of offset, hexadecimal and ASCII. */
export function hexDump(bytes, limit) {
  const rows = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += BYTES_A_ROW) {
    const row = bytes.subarray(at, Math.min(at + BYTES_A_ROW, limit));
    const hex = row
      .toString('hex')
      .replaceAll(/../g, '$& ')
      .padEnd(BYTES_A_ROW * 3);
    const ascii = row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.');
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex} ${ascii}`);
  }
  return rows;
}

export function bytesText(bytes) {
  return `${bytes.toLocaleString('en-US')} B`;
}

export function msText(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function shortened(line) {
  return line.length > MAX_VALUE_CHARACTERS ? `${line.slice(0, MAX_VALUE_CHARACTERS - 1)}…` : line;
}
