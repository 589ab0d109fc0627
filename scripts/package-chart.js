/** `npm run package:chart`: the archive of the Helm chart, as a release has it. */
import { mkdirSync } from 'node:fs';
import { readOptions } from '../bin/arguments.js';
import { packageChart } from './package/chart.js';

const { to } = readOptions(
  `Usage: npm run package:chart -- [options]

Packs the Helm chart of deploy/helm. The archive is the same, byte for byte, whenever and wherever it is made; its files have the
time SOURCE_DATE_EPOCH, in seconds since 1970, or 0.

  --to FOLDER   where to put the archive (default: this one)`,
  { to: { type: 'string', default: '.' } },
);

mkdirSync(to, { recursive: true });
console.log(packageChart(to));
