/** What the channels with one peer carry at this moment. */
export interface ChannelLoad {
  readonly channels: number;
  /** In all of them together. */
  readonly streams: number;
}

/** @param channels - those with the peer */
export function loadOf(channels: readonly { readonly streamCount: number }[]): ChannelLoad {
  return {
    channels: channels.length,
    streams: channels.reduce((sum, { streamCount }) => sum + streamCount, 0),
  };
}
