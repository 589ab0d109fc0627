import { constants } from 'node:os';
import { readOptions } from '../bin/arguments.js';
import { showChannel, showLogin, showUpload } from './acts.js';
import { ensureBuild } from './build.js';
import { childDeath, endChildren, killChildren } from './children.js';
import { showProof, showSizesAndTimes } from './findings.js';
import { printLines, printTitle } from './print.js';
import { setScene } from './scene.js';
import { curlLine, watchRequests } from './stay-up.js';

/** @import { LogLine } from './relay.js' */
/** @import { Scene } from './scene.js' */

const { once: endsAfterLastStep } = readOptions(
  `Usage: mte-api-relay demo [--once]

Sends a login and a file through two relays on this machine, as a message and over a channel, shows them at every point
that they pass, and compares them. In a clone, it builds the relay first if necessary. The relays then keep running until Ctrl-C.

  --once  ends after the last step, with exit code 0 if every step was as expected`,
  { once: { type: 'boolean', default: false } },
);

const WARN_LEVEL = 40;
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

class Interruption extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`The demo was interrupted by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Rejects on the first signal, which ends the demo in order. A second signal ends it immediately.
 *
 * @type {Promise<never>}
 */
const interruption = new Promise((_, reject) => {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      reject(new Interruption(signal));
      process.on(signal, killChildren);
    });
  }
});
interruption.catch(() => undefined);
process.on('exit', killChildren);

/**
 * @template T
 * @param {Promise<T>} work
 */
const unlessEnded = (work) => Promise.race([work, childDeath, interruption]);

async function play() {
  await ensureBuild();
  const scene = await setScene(showWarning);
  printTitle('Two relays and an upstream, each in its own process');
  printLines([
    `client ─plain─▶ relay A ═sealed═▶ relay B ─plain─▶ upstream`,
    '',
    `relay A   ${scene.originA}`,
    `relay B   ${scene.peerOrigin}, recorded on the way to ${scene.originB}`,
    `upstream  ${scene.upstreamOrigin}, recorded on the way to ${scene.upstream.origin}`,
  ]);
  const login = await showLogin(scene);
  const repeated = await showChannel(scene, login.request);
  const upload = await showUpload(scene);
  await showSizesAndTimes(scene, { message: login, login: repeated, upload });
  showProof(scene, { ...login.secrets, ...upload.secrets });
  console.log('\nEvery step was as expected.');
  return scene;
}

/**
 * Prints what a relay logs as a warning or an error, whichever step the demo is at.
 *
 * @param {string} relay
 * @param {LogLine} line
 */
function showWarning(relay, { level, msg, code }) {
  if (level >= WARN_LEVEL) {
    printLines([`${relay} logged: ${msg}${code === undefined ? '' : ` (${code})`}`]);
  }
}

/** @param {Scene} scene */
async function stayUp(scene) {
  printTitle(
    'Both relays keep running. Send this from another terminal, and change it as you like:',
  );
  console.log(curlLine(scene));
  console.log('\nPress Ctrl-C to stop them.\n');
  await watchRequests(scene);
}

async function run() {
  const scene = await unlessEnded(play());
  if (endsAfterLastStep) {
    return;
  }
  await unlessEnded(stayUp(scene)).catch((error) => {
    if (!(error instanceof Interruption)) {
      throw error;
    }
  });
}

try {
  await run();
} catch (error) {
  if (error instanceof Interruption) {
    console.error(`\n${error.message}`);
    process.exitCode = error.exitCode;
  } else {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
await endChildren();
process.exit();
