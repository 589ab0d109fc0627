/** How the tunnels of this run carry requests, unless a test says otherwise: as messages or, in the project `channels`, over channels. */
export const TRANSPORT = process.env['TEST_TRANSPORT'] ?? 'message';

/** Whether tests about what only messages can carry are to be skipped: `MTE`, and copies in plaintext. */
export const IS_OVER_CHANNELS = TRANSPORT === 'channel';

/** The types that a client may ask for in this run. */
export const ENCODE_TYPES: readonly ('MKE' | 'MTE')[] = IS_OVER_CHANNELS ? ['MKE'] : ['MKE', 'MTE'];
