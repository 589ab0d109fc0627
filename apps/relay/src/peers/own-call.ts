import type { SpanAttributes } from '../traces/tracer.js';
import type { PeerAddress } from './peer-address.js';

/** What the spans of a relay's own calls to a peer say. */
export function ownCallAttributes(
  { origin, known }: PeerAddress,
  purpose: 'pairing' | 'opening chan' | 'opening conn',
): SpanAttributes {
  return {
    'network.protocol.version': '1.1',
    'mte.role': 'outbound',
    'mte.peer': known.name || origin,
    'mte.purpose': purpose,
  };
}
