/**
 * Channels of docs/protocol.md section 11 as a library: many exchanges at once in one sealed connection between two relays. It
 * turns records into frames and streams and back, keeps the windows of streams, gives each stream its turn, and limits what waits
 * for slow consumers. It knows no socket, no clock and no framework: a transport carries the records, one in each message, and
 * the caller says when time has passed. Nothing of a record takes effect unless it is authentic at its place; whatever else the
 * peer sends breaks the channel with a ChannelBrokenError, and every stream is told.
 *
 * @packageDocumentation
 */
export { ChannelBrokenError } from './channel.errors.js';
export type { Stream, StreamEvents, StreamFailure } from './stream.js';
export type { ChannelEvents, ChannelOptions, ChannelTransport } from './channel-options.js';
export { StreamCode } from './frame.js';
export {
  InboundChannel,
  type InboundChannelEvents,
  type InboundChannelOptions,
} from './inbound-channel.js';
export { MAX_MESSAGE_BYTES } from './incoming-records.js';
export { OutboundChannel, type OutboundStreamEvents } from './outbound-channel.js';
export type { OutgoingHead } from './sending-side.js';
export { DEFAULT_WINDOW_BYTES } from './settings.js';
export { WaitingOctets } from './waiting-octets.js';
