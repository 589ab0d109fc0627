/** `npm run package:deb`. The release calls `packageDeb` with a folder of its own. */
import { readOptions } from '../../bin/arguments.js';
import { build } from './build.js';
import { packageDeb } from './debian-package.js';

const { output, built } = readOptions(
  `Usage: npm run package:deb -- [--output FOLDER] [--built]

Makes mte-api-relay_VERSION_all.deb, which installs the relay and its service for systemd on Debian and Ubuntu, in the
working directory or in FOLDER. It needs dpkg-deb, and takes node_modules as they are. The same source makes the same
file, byte for byte: its times are SOURCE_DATE_EPOCH, or that of the commit.

  --built  takes the build that there is`,
  { output: { type: 'string', default: '.' }, built: { type: 'boolean', default: false } },
);

if (!built) {
  build();
}
console.log(packageDeb(output));
