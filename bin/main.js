/** What `mte-api-relay` does: finds the command that its first words name, and leaves the other words to it. */
import { readFileSync } from 'node:fs';
import { offerHelp, refuseArguments } from './arguments.js';

/**
 * @typedef {object} Command
 * @property {string} words - what names it
 * @property {string} summary
 * @property {() => Promise<unknown>} run - reads its own arguments from process.argv
 */

/** @type {readonly Command[]} */
const COMMANDS = [
  {
    words: 'start',
    summary: 'runs a relay; this is the default',
    run: () => import('./commands/start.js'),
  },
  {
    words: 'check',
    summary: 'says whether the tunnel to another relay works and, if not, at which step',
    run: () => import('./commands/check.js'),
  },
  {
    words: 'healthcheck',
    summary: 'says by its exit code whether the relay of this environment is ready',
    run: () => import('./commands/healthcheck.js'),
  },
  {
    words: 'config check',
    summary: 'says what a relay would say of a RELAY_CONFIG_FILE',
    run: () => import('./commands/config-check.js'),
  },
  {
    words: 'client',
    summary: 'adds, lists and revokes the tokens of clients',
    run: () => import('./commands/client.js'),
  },
  {
    words: 'secret',
    summary: 'prints a new secret',
    run: () => import('./commands/secret.js'),
  },
  {
    words: 'demo',
    summary: 'shows a tunnel on this machine',
    run: () => import('./commands/demo.js'),
  },
];

const USAGE = `Usage: mte-api-relay [command] [arguments]

${COMMANDS.map(({ words, summary }) => `  ${words.padEnd(14)}${summary}`).join('\n')}

With --help, each command says what it takes; --version prints the version of the relay.
Exit code 2: the arguments cannot be used.`;

const words = process.argv.slice(2);

async function run() {
  if (words.includes('--version')) {
    const file = new URL('../package.json', import.meta.url);
    const { name, version } = JSON.parse(readFileSync(file, 'utf8'));
    console.log(`${name} ${version}`);
    return;
  }
  const command = commandOf(words.length === 0 ? ['start'] : words);
  if (command === undefined) {
    offerHelp(USAGE);
    return refuseArguments(USAGE, `'${words.join(' ')}' is no command`);
  }
  // The commands read the rest, as they would if each were a program of its own.
  process.argv.splice(2, command.words.split(' ').length);
  await command.run();
}

/** @param {readonly string[]} given */
const commandOf = (given) =>
  COMMANDS.find((one) => one.words.split(' ').every((word, index) => given[index] === word));

await run();
