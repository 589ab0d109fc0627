import { readFileSync } from 'node:fs';

/** Where the version stands besides package.json, and how it is found there. @type {readonly [string, RegExp][]} */
const PLACES = [
  ['package-lock.json', /^ {2}"version": "(.+)",$/m],
  ['CHANGELOG.md', /^## (?:Unreleased: )?(\d+\.\d+\.\d+[^\s,]*)/m],
  ['Dockerfile', /^ARG VERSION=(.+)$/m],
  ['deploy/helm/mte-api-relay/Chart.yaml', /^version: (.+)$/m],
  ['deploy/helm/mte-api-relay/Chart.yaml', /^appVersion: "?([^"\n]+)"?$/m],
];

/**
 * The version of the source, which stands in several files.
 *
 * @param {(path: string) => string} read
 * @returns {{ version: string, problems: string[] }} `problems`: the places where it is another one
 */
export function versionOf(read = (path) => readFileSync(path, 'utf8')) {
  const { version } = JSON.parse(read('package.json'));
  const problems = PLACES.flatMap(([path, pattern]) => {
    const [, found = 'none'] = pattern.exec(read(path)) ?? [];
    return found === version ? [] : [`${path} has the version ${found}, package.json ${version}`];
  });
  return { version, problems };
}

/**
 * What forbids a release of this version.
 *
 * @param {string} version
 * @param {{ changelog: string, changedFiles: string }} source
 */
export function releaseProblems(version, { changelog, changedFiles }) {
  const heading = changelog.split('\n').find((line) => line.startsWith('## '));
  return [
    ...(heading?.startsWith(`## ${version}, `) === true && /, \d{4}-\d{2}-\d{2}$/.test(heading)
      ? []
      : [`CHANGELOG.md begins with "${heading}" and not with "## ${version}, <date>"`]),
    ...(changedFiles === '' ? [] : [`files are not committed:\n${changedFiles}`]),
  ];
}
