/**
 * The last base64url character of 16 bytes has four unused bits; only the canonical form, with zeros there, matches.
 */
export const B64_16 = '[A-Za-z0-9_-]{21}[AQgw]';

/** A sequence number in decimal digits; its bound is checked apart. */
export const SEQUENCE = '[1-9][0-9]{0,6}';

/** An age in whole seconds: 0 … 99,999. */
export const AGE = '0|[1-9][0-9]{0,4}';
