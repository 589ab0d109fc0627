/**
 * Of every response of the admin listener. Only what this listener serves itself may run in the page or be connected to, no inline
 * code runs, and no other site can frame the page, embed what is here, or learn from where its user has come.
 */
export const SECURITY_FIELDS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // What is here changes all the time, and is for nobody else. Only files whose names change with their content differ.
  'cache-control': 'no-store',
} as const;
