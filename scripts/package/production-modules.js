/**
 * The packages of npm that a running relay needs, taken from node_modules by package-lock.json: no network is needed, and
 * what is packaged is what was tested.
 */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { removeEmptyFolders } from './file-tree.js';

/**
 * An entry of package-lock.json, as far as it is used here.
 *
 * @typedef {object} LockedPackage
 * @property {string} version
 * @property {string} [license]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 */

/**
 * A package that a running relay needs.
 *
 * @typedef {object} ProductionModule
 * @property {string} path - such as node_modules/fastify
 * @property {string} name
 * @property {string} version
 * @property {string} license - an SPDX identifier
 */

const MODULES = 'node_modules';
/** What npm packages have for people who work on them, or on a program in TypeScript. */
const DEVELOPMENT_FILE =
  /\.(?:map|[cm]?ts|tsbuildinfo|flow|html|md|sh)$|^\.|^(?:Makefile|test\.js)$/;
/** A package has its tests and examples here, and nothing that it loads: a folder further down can be part of its code. */
const DEVELOPMENT_FOLDERS = [
  '__tests__',
  'benchmark',
  'benchmarks',
  'docs',
  'example',
  'examples',
  'integration',
  'scripts',
  'spec',
  'specs',
  'test',
  'tests',
];
const LICENCE = /^(?:licen[cs]e|copying|notice|copyrightnotice|patents)/i;

/** @returns {ProductionModule[]} sorted by path */
export function productionModules() {
  /** @type {{ packages: Record<string, LockedPackage> }} */
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .filter(([path, { optional }]) => optional !== true || existsSync(path))
    .map(([path, { version, license = 'unknown' }]) => ({
      path,
      name: path.slice(path.lastIndexOf(`${MODULES}/`) + MODULES.length + 1),
      version,
      license,
    }))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/**
 * Copies these packages, without what only developers use, and without anything that was installed inside a package.
 *
 * @param {string} folder - where node_modules is to be
 * @param {readonly ProductionModule[]} modules
 */
export function copyProductionModules(folder, modules = productionModules()) {
  for (const { path, name, version } of modules) {
    /** @type {{ version: string }} */
    const installed = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    if (installed.version !== version) {
      throw new Error(`${name} is ${installed.version} and not ${version}: run npm ci`);
    }
    cpSync(path, join(folder, path), {
      recursive: true,
      dereference: true,
      filter: (source) => isNeeded(path, source),
    });
  }
  // Folders that had types only.
  removeEmptyFolders(join(folder, MODULES));
}

/**
 * @param {string} packageFolder
 * @param {string} source
 */
function isNeeded(packageFolder, source) {
  const name = basename(source);
  if (source === packageFolder || LICENCE.test(name)) {
    return true;
  }
  const isTop = dirname(relative(packageFolder, source)) === '.';
  return (
    name !== MODULES &&
    !(isTop && DEVELOPMENT_FOLDERS.includes(name)) &&
    !DEVELOPMENT_FILE.test(name)
  );
}

/**
 * The licence of a package, as it states it itself.
 *
 * @param {ProductionModule} module
 */
export function licenceTextOf({ path }) {
  const file = readdirSync(path).find((name) => LICENCE.test(name));
  return file === undefined ? undefined : readFileSync(join(path, file), 'utf8');
}
