import { printLines } from './print.js';

/** @import { Scene } from './scene.js' */

/**
 * The request of the README, ready to be pasted into a shell.
 *
 * @param {Scene} scene
 */
export function curlLine({ originA, peerOrigin, outboundToken }) {
  return [
    `curl -i ${originA}/api/login`,
    `-H 'x-mte-outbound-token: ${outboundToken}'`,
    `-H 'x-mte-upstream: ${peerOrigin}'`,
    `-H 'content-type: application/json'`,
    `-d '{"username":"ada","password":"correct horse"}'`,
  ].join(' ');
}

/**
 * Prints for every request from now on what the upstream received. Never returns.
 *
 * @param {Scene} scene
 * @returns {Promise<never>}
 */
export async function watchRequests({ upstream, sealedTap, plainTap }) {
  sealedTap.stopRecording();
  plainTap.stopRecording();
  for (;;) {
    const { requestLine, bytes, bodyStart } = await upstream.nextReport();
    printLines([`the upstream received: ${requestLine}, ${bytes} B: ${bodyStart}`]);
  }
}
