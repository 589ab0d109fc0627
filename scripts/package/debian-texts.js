/** What Debian requires in a package besides its files: control data, copyright and changelog. */
import { readFileSync } from 'node:fs';
import { licenceTextOf } from './production-modules.js';
import { versionOf } from './versions.js';

/** @import { ProductionModule } from './production-modules.js' */

export const PACKAGE = 'mte-api-relay';
const APACHE = 'Apache-2.0';
const MAINTAINER = 'MTE API Relay maintainers <mte-api-relay@users.noreply.github.com>';

/**
 * @param {{ version: string, nodeVersion: string, installedKibibytes: number }} facts
 */
export function controlText({ version, nodeVersion, installedKibibytes }) {
  return `Package: ${PACKAGE}
Version: ${version}
Architecture: all
Maintainer: ${MAINTAINER}
Installed-Size: ${installedKibibytes}
Depends: nodejs (>= ${nodeVersion})
Section: net
Priority: optional
Description: relay that carries HTTP between server applications in sealed messages
 Two relays form a tunnel: one seals the requests of its clients and sends them
 to the other, which opens them and forwards them to an API. What lies between
 the relays can neither read nor change them.
 .
 The package has a service for systemd, which is started once it has been
 configured in /etc/mte-api-relay.
`;
}

/**
 * @param {{ version: string, dateSeconds: number }} facts
 */
export function changelogText({ version, dateSeconds }) {
  const date = new Date(dateSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `${PACKAGE} (${version}) unstable; urgency=medium

  * What has changed for operators is in CHANGELOG.md.gz beside this file.

 -- ${MAINTAINER}  ${date}
`;
}

/**
 * The licences of the relay and of the npm packages that are installed with it, in Debian's format.
 *
 * @param {readonly ProductionModule[]} modules
 */
export function copyrightText(modules) {
  const paragraphs = modules.map((module) => {
    const text = licenceTextOf(module) ?? `The package states ${module.license}, and has no text.`;
    const files = `Files: usr/lib/${PACKAGE}/${module.path}/*
Copyright: ${holderIn(text) ?? `the authors of ${module.name}`}`;
    // Debian has this text once for all packages.
    return module.license === APACHE
      ? `${files}\nLicense: ${APACHE}`
      : `${files}\nLicense: ${module.license}-${nameForDebian(module.path)}\n${indented(text)}`;
  });
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${PACKAGE}

Files: *
Copyright: the authors of MTE API Relay
License: ${APACHE}
 On Debian systems, the text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

${paragraphs.join('\n\n')}
`;
}

/**
 * The first statement of a copyright, which need not be the only one.
 *
 * @param {string} text
 */
function holderIn(text) {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.find((line) => /^copyright (?:\(c\)|©|\d)/i.test(line));
}

/**
 * Every package has its own copyright, so that two with one licence have two texts.
 *
 * @param {string} path
 */
const nameForDebian = (path) => path.replaceAll(/[^\w.]+/g, '-');

/** @param {string} text */
const indented = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');

/** The version as dpkg orders it: `1.0.0-rc.1` would be newer than `1.0.0` to it. */
export function debianVersion({ version } = versionOf()) {
  return version.replace('-', '~');
}

/** The oldest Node.js that the relay runs on. */
export function oldestNode() {
  /** @type {{ engines: { node: string } }} */
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  return engines.node.replace('>=', '');
}
