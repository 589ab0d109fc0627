/** `npm run sbom`. */
import { writeFileSync } from 'node:fs';
import { readOptions } from '../bin/arguments.js';
import { sbom } from './package/sbom.js';

readOptions(
  `Usage: npm run sbom

Writes a software bill of materials of the relay, as CycloneDX, to sbom.cdx.json.`,
  {},
);

const FILE = 'sbom.cdx.json';

try {
  const bill = sbom();
  writeFileSync(FILE, JSON.stringify(bill, null, 2));
  console.log(`${FILE}: ${bill.components.length} components`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
