/**
 * Header fields as flat lists of name, value, name, value, … in the order in which they were received (RFC 9110 section 5).
 * The functions on these lists are pure: they keep order and repeats, and never access a socket.
 */
export { isAuthority, isLoopback, normalAuthority } from './authority.js';
export {
  HOP_BY_HOP_FIELDS,
  fieldValue,
  withReplacedFields,
  withoutFields,
  type RawFields,
} from './fields.js';
export { variableName, withReplacedNamesakes, withoutNamesakes } from './namesakes.js';
export { rawFieldValues, textOf } from './raw-fields.js';
