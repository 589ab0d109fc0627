/**
 * `npm run demo`: a login and a file through two relays on this machine, shown at every place that they
 * pass, and compared. Then everything stays up until Ctrl-C. With `--once` it ends by itself, with exit
 * code 0 where every step was as expected.
 */
import { constants } from 'node:os';
import { showLogin, showUpload } from './acts.js';
import { ensureBuild } from './build.js';
import { childDeath, endChildren, killChildren } from './children.js';
import { showProof, showSizesAndTimes } from './findings.js';
import { printLines, printTitle } from './print.js';
import { setScene } from './scene.js';
import { curlLine, watchRequests } from './stay-up.js';

const WARN_LEVEL = 40;

class Interruption extends Error {
  constructor(signal) {
    super(`The demo was interrupted by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Rejects on the first signal, which ends the demo in order; another one ends it at once. */
const interruption = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      reject(new Interruption(signal));
      process.on(signal, killChildren);
    });
  }
});
interruption.catch(() => undefined);
process.on('exit', killChildren);

const unlessEnded = (work) => Promise.race([work, childDeath, interruption]);

async function play() {
  await ensureBuild();
  const scene = await setScene(showComplaint);
  printTitle('Two relays and an upstream, each a process of its own');
  printLines([
    `client ─plain─▶ relay A ═sealed═▶ relay B ─plain─▶ upstream`,
    '',
    `relay A   ${scene.originA}`,
    `relay B   ${scene.peerOrigin}, recorded on its way to ${scene.originB}`,
    `upstream  ${scene.upstreamOrigin}, recorded on its way to ${scene.upstream.origin}`,
  ]);
  const login = await showLogin(scene);
  const upload = await showUpload(scene);
  await showSizesAndTimes(scene, login, upload);
  showProof(scene, { ...login.secrets, ...upload.secrets });
  console.log('\nEvery step was as expected.');
  return scene;
}

/** A relay that has something to complain about is worth a line, whatever the demo is at. */
function showComplaint(relay, { level, msg, code }) {
  if (level >= WARN_LEVEL)
    printLines([`${relay} says: ${msg}${code === undefined ? '' : ` (${code})`}`]);
}

async function stayUp(scene) {
  printTitle('Both relays stay up. Try it from another terminal, and change what you like:');
  console.log(curlLine(scene));
  console.log('\nCtrl-C ends them.\n');
  await watchRequests(scene);
}

async function run(args) {
  const unknown = args.find((arg) => arg !== '--once');
  if (unknown !== undefined) throw new Error(`${unknown} is unknown; there is only --once`);
  const scene = await unlessEnded(play());
  if (args.includes('--once')) return;
  await unlessEnded(stayUp(scene)).catch((error) => {
    if (!(error instanceof Interruption)) throw error;
  });
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const isInterrupted = error instanceof Interruption;
  console.error(`\n${isInterrupted ? '' : 'The demo failed: '}${error.message}`);
  process.exitCode = isInterrupted ? error.exitCode : 1;
}
await endChildren();
process.exit();
