import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import {
  changelogText,
  controlText,
  copyrightText,
  debianVersion,
  oldestNode,
  PACKAGE,
} from './debian-texts.js';
import { installedKibibytes, md5sumsOf, setModes, setTimes } from './file-tree.js';
import { productionModules } from './production-modules.js';
import { sourceDateSeconds } from './source-date.js';
import { stageProduct } from './staged-product.js';

const LIBRARY = `usr/lib/${PACKAGE}`;
const DOCUMENTS = `usr/share/doc/${PACKAGE}`;
const SETTINGS = `etc/${PACKAGE}/relay.env`;
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
/** A third of the time of the usual level, for a package that is 0.5 MB larger. */
const COMPRESSION_LEVEL = 3;
/** Files of the tarball that have their place elsewhere. */
const NOT_IN_LIBRARY = ['.env.example', 'CHANGELOG.md', 'LICENSE', 'README.md'];
const MODES = {
  [`${LIBRARY}/bin/${PACKAGE}`]: 0o755,
  [SETTINGS]: 0o640,
  [`etc/${PACKAGE}/secrets`]: 0o700,
  ...Object.fromEntries(SCRIPTS.map((name) => [`DEBIAN/${name}`, 0o755])),
};

/**
 * Makes the package from the build and node_modules of the working directory.
 *
 * @param {string} folder - where it is to be
 * @param {number} [dateSeconds] - the time of all its files
 * @returns {string} the path of the package
 */
export function packageDeb(folder, dateSeconds = sourceDateSeconds()) {
  const version = debianVersion();
  const root = mkdtempSync(join(tmpdir(), `${PACKAGE}-deb-`));
  try {
    /** @param {string} path @param {string | Buffer} content */
    const write = (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    /** @param {string} path @param {string} source */
    const copy = (path, source) => write(path, readFileSync(source));

    stageProduct(join(root, LIBRARY));
    for (const path of NOT_IN_LIBRARY) {
      rmSync(join(root, LIBRARY, path), { force: true });
    }
    mkdirSync(join(root, 'usr/bin'));
    symlinkSync(`../lib/${PACKAGE}/bin/${PACKAGE}`, join(root, 'usr/bin', PACKAGE));
    copy(`usr/lib/systemd/system/${PACKAGE}.service`, `deploy/systemd/${PACKAGE}.service`);
    copy(SETTINGS, 'deploy/debian/relay.env');
    mkdirSync(join(root, `etc/${PACKAGE}/secrets`));
    write(
      `usr/share/man/man1/${PACKAGE}.1.gz`,
      gzipped(readFileSync(`deploy/debian/${PACKAGE}.1`)),
    );
    write(`${DOCUMENTS}/copyright`, copyrightText(productionModules()));
    write(`${DOCUMENTS}/changelog.gz`, gzipped(changelogText({ version, dateSeconds })));
    write(`${DOCUMENTS}/CHANGELOG.md.gz`, gzipped(readFileSync('CHANGELOG.md')));
    copy(`${DOCUMENTS}/README.md`, 'README.md');
    renameSync(join(root, LIBRARY, 'docs'), join(root, DOCUMENTS, 'docs'));
    copy(`${DOCUMENTS}/examples/relay.env`, '.env.example');
    copy(`usr/share/lintian/overrides/${PACKAGE}`, 'deploy/debian/lintian-overrides');

    const sums = md5sumsOf(root);
    const size = installedKibibytes(root);
    write(
      'DEBIAN/control',
      controlText({ version, nodeVersion: oldestNode(), installedKibibytes: size }),
    );
    write('DEBIAN/conffiles', `/${SETTINGS}\n`);
    write('DEBIAN/md5sums', sums);
    for (const name of SCRIPTS) {
      cpSync(`deploy/debian/${name}`, join(root, 'DEBIAN', name));
    }
    setModes(root, MODES);
    setTimes(root, dateSeconds);
    return build(root, resolve(folder, `${PACKAGE}_${version}_all.deb`), dateSeconds);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/**
 * @param {string} root
 * @param {string} file
 * @param {number} dateSeconds
 */
function build(root, file, dateSeconds) {
  mkdirSync(dirname(file), { recursive: true });
  const { status, error, stderr } = spawnSync(
    'dpkg-deb',
    ['--root-owner-group', '-Zxz', `-z${COMPRESSION_LEVEL}`, '--build', root, file],
    {
      encoding: 'utf8',
      env: {
        ...process.env,
        SOURCE_DATE_EPOCH: String(dateSeconds),
        // How xz divides its work among threads shows in what it writes.
        DPKG_DEB_THREADS_MAX: '1',
      },
    },
  );
  if (status !== 0) {
    throw new Error(`dpkg-deb failed: ${error?.message ?? stderr}`);
  }
  return file;
}

/** As `gzip -9n`: without name and time. @param {string | Buffer} content */
const gzipped = (content) => gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
