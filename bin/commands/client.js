import { createHash, randomBytes } from 'node:crypto';
import { Document } from 'yaml';
import { readArguments, refuseArguments } from '../arguments.js';
import { clientsTable } from '../client/clients-table.js';
import {
  addToken,
  listClients,
  readDocument,
  removeClient,
  removeToken,
  textOf,
} from '../client/directory-document.js';
import { readExpiry } from '../client/expiry.js';
import { replaceFile } from '../client/replace-file.js';

const USAGE = `Usage: mte-api-relay client add <name> [--expires <when>] [--file <file>]
       mte-api-relay client list --file <file>
       mte-api-relay client revoke <name> --file <file> [--token <digits>]

Adds, lists and revokes the tokens of the clients in a RELAY_CONFIG_FILE. The file has only the SHA-256 of a token.

  add      makes a token of 32 random bytes, for a new client or as another token of one that there is, and prints it:
           nobody can show it again. With --file it is added to the file; without, the lines to add are printed as well
  list     prints each client with its tokens, when they expire, its peers and its limits
  revoke   removes a client, or one of its tokens

  --file <file>     the file, which is replaced at once; comments stay
  --expires <when>  90d: after 90 days, at midnight UTC; or a date, such as 2027-03-01. Without it, never
  --token <digits>  the first hexadecimal digits of the SHA-256 of the token, as list and the log of the relay show them

Exit code 1: the file cannot be used, or does not have what was named; it is as it was.`;

/** As the relay demands it of names in the file. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DIGITS = /^[0-9a-f]{1,64}$/;

const { values, positionals } = readArguments(USAGE, {
  file: { type: 'string' },
  expires: { type: 'string' },
  token: { type: 'string' },
});
const { file, expires, token } = values;
const [action, name, ...rest] = positionals;

/** @type {Readonly<Record<string, { run: () => void, takes: readonly string[], takesName: boolean }>>} */
const ACTIONS = {
  add: { run: add, takes: ['file', 'expires'], takesName: true },
  list: { run: list, takes: ['file'], takesName: false },
  revoke: { run: revoke, takes: ['file', 'token'], takesName: true },
};

function add() {
  const expiry = expires === undefined ? {} : { expires: readExpires(expires) };
  const secret = randomBytes(32).toString('base64url');
  const sha256 = createHash('sha256').update(secret).digest('hex');
  const document = file === undefined ? new Document() : readDocument(file);
  const count = addToken(document, nameOfClient(), { sha256, ...expiry });
  if (file === undefined) {
    console.log(`${secret}\n\n${textOf(document).trimEnd()}`);
    return;
  }
  replaceFile(file, textOf(document));
  // Standard output has the token alone, so that it can go into a file or a secret store.
  console.error(`${file}: ${name} has ${count === 1 ? '1 token' : `${count} tokens`} now.`);
  console.log(secret);
}

function list() {
  console.log(clientsTable(listClients(readDocument(fileOfClients())), Date.now()));
}

function revoke() {
  const path = fileOfClients();
  const document = readDocument(path);
  if (token === undefined) {
    removeClient(document, nameOfClient());
  } else if (DIGITS.test(token)) {
    removeToken(document, nameOfClient(), token);
  } else {
    refuseArguments(USAGE, '--token takes hexadecimal digits, in lower case');
  }
  replaceFile(path, textOf(document));
  const revoked = token === undefined ? name : `token ${token} of ${name}`;
  console.log(`${path}: ${revoked} is revoked.`);
}

/** @param {string} when */
function readExpires(when) {
  try {
    return readExpiry(when, Date.now());
  } catch (error) {
    return refuseArguments(USAGE, error);
  }
}

function nameOfClient() {
  if (name === undefined || !NAME.test(name)) {
    return refuseArguments(USAGE, 'the name of a client has 1 to 64 letters, digits, "_" or "-"');
  }
  return name;
}

function fileOfClients() {
  return file ?? refuseArguments(USAGE, `${action} needs --file`);
}

function run() {
  const known = Object.hasOwn(ACTIONS, action ?? '') ? ACTIONS[action ?? ''] : undefined;
  if (known === undefined) {
    return refuseArguments(
      USAGE,
      `${action ?? 'nothing'} is none of ${Object.keys(ACTIONS).join(', ')}`,
    );
  }
  const surplus = known.takesName ? rest : positionals.slice(1);
  if (surplus.length > 0) {
    return refuseArguments(USAGE, `Unexpected argument '${surplus[0]}'`);
  }
  const option = Object.keys(values).find((one) => one !== 'help' && !known.takes.includes(one));
  if (option !== undefined) {
    return refuseArguments(USAGE, `${action} does not take --${option}`);
  }
  known.run();
}

try {
  run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
