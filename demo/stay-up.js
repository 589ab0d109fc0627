import { printLines } from './print.js';

/** The README's call, ready to be pasted into a shell. */
export function curlLine({ originA, peerOrigin, outboundToken }) {
  return [
    `curl -i ${originA}/api/login`,
    `-H 'x-mte-outbound-token: ${outboundToken}'`,
    `-H 'x-mte-upstream: ${peerOrigin}'`,
    `-H 'content-type: application/json'`,
    `-d '{"username":"ada","password":"correct horse"}'`,
  ].join(' ');
}

/** Says of every request that somebody sends from now on what the upstream received. Never returns. */
export async function watchRequests({ upstream, sealedTap, plainTap }) {
  sealedTap.stopRecording();
  plainTap.stopRecording();
  for (;;) {
    const { requestLine, bytes, bodyStart } = await upstream.nextReport();
    printLines([`the upstream received: ${requestLine}, ${bytes} B: ${bodyStart}`]);
  }
}
