import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The software bill of materials of the relay, in CycloneDX: derived only from package-lock.json, so it is true of every
 * installation and needs no network.
 *
 * @param {number} [dateSeconds] - in place of the current time and a random serial number, so that one source has one bill
 * @returns {{ serialNumber: string, metadata: { timestamp: string }, components: unknown[] }}
 */
export function sbom(dateSeconds) {
  const bill = printedByNpm();
  if (dateSeconds !== undefined) {
    bill.metadata.timestamp = new Date(dateSeconds * 1000).toISOString();
    delete bill.serialNumber;
    bill.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bill))}`;
  }
  return bill;
}

/** Of the production part of package-lock.json. `--omit dev` leaves out packages that both parts need. */
function printedByNpm() {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  // npm takes the name of the product from its folder.
  const product = join(folder, 'mte-api-relay');
  try {
    mkdirSync(product);
    for (const name of ['package.json', 'package-lock.json']) {
      writeFileSync(join(product, name), JSON.stringify(withoutDevelopment(name)));
    }
    const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
    return JSON.parse(
      execFileSync('npm', args, { cwd: product, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} name */
function withoutDevelopment(name) {
  const { packages, ...rest } = JSON.parse(readFileSync(name, 'utf8'));
  if (packages === undefined) {
    return { ...rest, devDependencies: undefined };
  }
  const needed = Object.entries(packages).filter(([, { dev }]) => dev !== true);
  const production = { ...packages[''], devDependencies: undefined };
  return { ...rest, packages: { ...Object.fromEntries(needed), '': production } };
}

/** A UUID that depends on a text alone, as RFC 9562, section 5.8 allows. @param {string} text */
function uuidOf(text) {
  const digest = createHash('sha256').update(text).digest('hex');
  const digits = `${digest.slice(0, 12)}8${digest.slice(13, 16)}8${digest.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
