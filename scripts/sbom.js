/** `npm run sbom`: derived only from package-lock.json, so it is true of every installation and needs no network. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readOptions } from '../bin/arguments.js';

readOptions(
  `Usage: npm run sbom

Writes a software bill of materials of the relay, as CycloneDX, to sbom.cdx.json.`,
  {},
);

const FILE = 'sbom.cdx.json';
const options = ['--package-lock-only', '--omit', 'dev', '--sbom-format', 'cyclonedx'];

const { status, stdout, stderr } = spawnSync('npm', ['sbom', ...options], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (status === 0) {
  writeFileSync(FILE, stdout);
  console.log(`${FILE}: ${JSON.parse(stdout).components.length} components`);
} else {
  console.error(stderr.trim());
  process.exitCode = 1;
}
