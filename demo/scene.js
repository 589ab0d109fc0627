import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { forkChild } from './children.js';
import { startRelay } from './relay.js';
import { Tap } from './tap.js';

const freshSecret = () => randomBytes(32).toString('base64url');

/**
 * Starts the upstream and two relays, each a process of its own, with a tap between the relays and one
 * behind relay B:
 *
 *   client → relay A → sealedTap → relay B → plainTap → upstream
 *
 * @param onRelayLine - gets the name of a relay and a line of its log
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
  const start = (name, env) =>
    startRelay(name, { ...shared, ...env }, (line) => {
      if (line.msg === 'paired') pairingMs = line.ms;
      onRelayLine(name, line);
    });
  const [originA, originB] = await Promise.all([
    start('relay A', { OUTBOUND_TOKEN: outboundToken, OUTBOUND_ALLOWED_UPSTREAMS: peerOrigin }),
    // No client of its own: a token that nobody knows.
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
    /** What a client names as x-mte-upstream: relay B, by way of the tap. */
    peerOrigin,
    /** What relay B has as UPSTREAM: the upstream, by way of the tap. */
    upstreamOrigin,
    upstream,
    outboundToken,
    sealedTap,
    plainTap,
    /** How long the last pairing took, as relay A logged it. */
    pairingMs: () => pairingMs,
  };
}

async function startUpstream() {
  const child = forkChild('the upstream', fileURLToPath(new URL('upstream.js', import.meta.url)));
  const [{ port }] = await once(child, 'message');
  const reports = [];
  const arrivals = new EventEmitter();
  child.on('message', (report) => {
    reports.push(report);
    arrivals.emit('report');
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    /** What the upstream received next, as it says itself. */
    async nextReport() {
      while (reports.length === 0) await once(arrivals, 'report');
      return reports.shift();
    },
  };
}
