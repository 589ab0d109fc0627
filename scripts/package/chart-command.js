/** `npm run package:chart`. The release calls `packageChart` with a folder of its own. */
import { mkdirSync } from 'node:fs';
import { readOptions } from '../../bin/arguments.js';
import { packageChart } from './chart.js';
import { sourceDateSeconds } from './source-date.js';

const { output } = readOptions(
  `Usage: npm run package:chart -- [--output FOLDER]

Makes mte-api-relay-chart-VERSION.tgz, the archive of the Helm chart, in the working directory or in FOLDER. It needs GNU
tar, and takes the files that git knows. The same source makes the same file, byte for byte: its times are
SOURCE_DATE_EPOCH, or that of the commit.`,
  { output: { type: 'string', default: '.' } },
);

mkdirSync(output, { recursive: true });
console.log(packageChart(output, sourceDateSeconds()));
