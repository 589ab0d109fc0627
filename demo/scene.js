import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { forkChild } from './children.js';
import { startRelay } from './relay.js';
import { Tap } from './tap.js';

/** @import { LogLine } from './relay.js' */
/** @import { Listening, Report } from './upstream.js' */

/**
 * The upstream as the demo sees it.
 *
 * @typedef {object} Upstream
 * @property {string} origin
 * @property {() => Promise<Report>} nextReport - the upstream's own account of the next request that it received
 */

/**
 * Everything that takes part in the demo.
 *
 * @typedef {object} Scene
 * @property {string} originA
 * @property {string} originB
 * @property {string} peerOrigin - what a client names in x-mte-upstream: relay B, through the tap
 * @property {string} upstreamOrigin - the UPSTREAM of relay B: the upstream, through the tap
 * @property {Upstream} upstream
 * @property {string} outboundToken
 * @property {Tap} sealedTap
 * @property {Tap} plainTap
 * @property {() => number} pairingMs - how long the last pairing took, as relay A logged it
 */

const freshSecret = () => randomBytes(32).toString('base64url');

/**
 * Starts the upstream and two relays, each in its own process, with a tap between the relays and another one
 * behind relay B:
 *
 *   client → relay A → sealedTap → relay B → plainTap → upstream
 *
 * @param {(relay: string, line: LogLine) => void} onRelayLine - gets the name of a relay and a line of its log
 * @returns {Promise<Scene>}
 */
export async function setScene(onRelayLine) {
  const sealedTap = new Tap();
  const plainTap = new Tap();
  const peerOrigin = await sealedTap.listen();
  const upstreamOrigin = await plainTap.listen();
  const upstream = await startUpstream();
  plainTap.connectTo(upstream.origin);

  const outboundToken = freshSecret();
  const shared = { CLIENT_ID_SECRET: freshSecret(), UPSTREAM: upstreamOrigin };
  let pairingMs = 0;
  /**
   * @param {string} name
   * @param {Record<string, string>} env
   */
  const start = (name, env) =>
    startRelay(name, { ...shared, ...env }, (line) => {
      if (line.msg === 'paired' && line.ms !== undefined) {
        pairingMs = line.ms;
      }
      onRelayLine(name, line);
    });
  const [originA, originB] = await Promise.all([
    start('relay A', { OUTBOUND_TOKEN: outboundToken, OUTBOUND_ALLOWED_UPSTREAMS: peerOrigin }),
    // Relay B has no clients, so nobody needs to know its token.
    start('relay B', {
      OUTBOUND_TOKEN: freshSecret(),
      OUTBOUND_ALLOWED_UPSTREAMS: peerOrigin,
      RELAY_AUDIENCE: peerOrigin,
    }),
  ]);
  sealedTap.connectTo(originB);

  return {
    originA,
    originB,
    peerOrigin,
    upstreamOrigin,
    upstream,
    outboundToken,
    sealedTap,
    plainTap,
    pairingMs: () => pairingMs,
  };
}

/** @returns {Promise<Upstream>} */
async function startUpstream() {
  const child = forkChild('the upstream', fileURLToPath(new URL('upstream.js', import.meta.url)));
  const [{ port }] = /** @type {[Listening]} */ (await once(child, 'message'));
  /** @type {Report[]} */
  const reports = [];
  const arrivals = new EventEmitter();
  child.on('message', (message) => {
    reports.push(/** @type {Report} */ (message));
    arrivals.emit('report');
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    async nextReport() {
      for (;;) {
        const report = reports.shift();
        if (report !== undefined) {
          return report;
        }
        await once(arrivals, 'report');
      }
    },
  };
}
