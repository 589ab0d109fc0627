import { openRequest } from '../clients/client.js';
import { inMib, peakResidentBytes } from '../processes/process-memory.js';
import type { ProcessTunnel } from '../tunnels/process-tunnel.js';
import type { Arrival, Transfer } from '../upstreams/both-ways-transfer.js';

/** Sends a transfer up and another down at the same time, and prints how that went. */
export async function bothWays(
  tunnel: ProcessTunnel,
  transfer: Transfer,
): Promise<{ up: Arrival; down: Arrival; peakBytes: number }> {
  const { outbound, inbound, clientHeaders } = tunnel;
  const startedAtMs = performance.now();
  const up = tunnel.send({ method: 'PUT', path: '/up', body: transfer.body() });
  const { message } = await openRequest(outbound.url, { path: '/down', headers: clientHeaders });
  const [response, down] = await Promise.all([up, transfer.received(message)]);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const peaks = [outbound, inbound].map(peakResidentBytes);
  console.info(
    `${inMib(transfer.whole.bytes)} up and down at the same time in ${seconds.toFixed(1)} s, peaks: ${peaks.map(inMib).join(' (outbound), ')} (inbound)`,
  );
  return {
    up: JSON.parse(response.body.toString()) as Arrival,
    down,
    peakBytes: Math.max(...peaks),
  };
}
