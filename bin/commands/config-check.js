/** `mte-api-relay config check`: what a relay would say of a RELAY_CONFIG_FILE, before it is given the file. */
import { readOperand } from '../arguments.js';
import { requireBuild } from '../require-build.js';

const { values, operand } = readOperand(
  `Usage: mte-api-relay config check FILE [--against OLD_FILE]

Reads FILE as a relay reads RELAY_CONFIG_FILE, with the variables of the environment and of .env, and prints what is wrong
with line and key, or a summary with the hosts and listeners of peers. With --against, it also prints what would change for
a relay that runs with OLD_FILE: names and keys, never secrets. Exit code 0: the file is valid; 1: it is not; 2: wrong arguments.`,
  { against: { type: 'string' } },
);

requireBuild();
const { ConfigInvalidError, directoryChanges, loadConfigWith, shownListenAt } =
  await import('#dist/libs/config/src/index.js');
const { expiringTokens } = await import('#dist/apps/relay/src/outbound/token-expiry.js');

/**
 * The configuration with a file. Prints what is wrong and ends the process if it is not valid.
 *
 * @param {string} file
 */
function load(file) {
  try {
    return loadConfigWith(file);
  } catch (error) {
    if (!(error instanceof ConfigInvalidError)) {
      throw error;
    }
    for (const line of error.problems) {
      console.error(line);
    }
    console.error(`${file} is not valid: ${error.problems.length} problem(s)`);
    process.exit(1);
  }
}

/**
 * @param {string} kind
 * @param {readonly { readonly name: string }[]} entries
 */
function summary(kind, entries) {
  const names = entries.map(({ name }) => (name === '' ? '(of the variables)' : name));
  return `${kind}: ${names.length === 0 ? 'none' : names.join(', ')}`;
}

/** @param {import('../../libs/config/src/index.js').ListenAt} at */
function place(at) {
  if (at.kind === 'tcp') {
    return shownListenAt(at);
  }
  const { mode, owner } = at;
  const of = owner === undefined ? '' : ` of ${owner.uid}:${owner.gid}`;
  return `${shownListenAt(at)} (mode ${mode.toString(8).padStart(4, '0')}${of})`;
}

const {
  config: { directory },
  warnings,
} = load(operand);
for (const line of warnings) {
  console.error(`warning: ${line}`);
}
for (const { client, tokenId, hasExpired, expires } of expiringTokens(
  directory.clients,
  Date.now(),
)) {
  const when = hasExpired ? 'has expired' : 'expires soon';
  console.error(`warning: a token of the client ${client} ${when}: ${tokenId}, ${expires}`);
}
console.log(summary('peers', directory.peers));
console.log(summary('clients', directory.clients));
console.log(summary('tenants', directory.tenants));
for (const { name, hosts } of directory.peers) {
  if (hosts !== undefined) {
    console.log(`hosts of ${name}: ${hosts.join(', ')}`);
  }
}
for (const { name, listen } of directory.peers) {
  if (listen !== undefined) {
    console.log(`listener of ${name}: ${place(listen.at)}, for the client ${listen.client}`);
  }
}

if (values.against !== undefined) {
  const changes = directoryChanges(load(values.against).config.directory, directory);
  console.log(changes.length === 0 ? 'Nothing would change.' : 'What would change:');
  for (const line of changes) {
    console.log(`  ${line}`);
  }
}
