import { RESPONSE_FIELD_CASES } from './response-fields.js';
import { BODY_CASES } from './bodies.js';
import { ENDING_CASES } from './endings.js';
import type { HttpCase } from './http-case.js';
import { METHOD_CASES } from './methods.js';
import { REQUEST_FIELD_CASES } from './request-fields.js';
import { STATUS_CASES } from './statuses.js';
import { TARGET_CASES } from './targets.js';

/** Every case that is run both directly and through the tunnel. */
export const HTTP_CASES: readonly HttpCase[] = [
  ...METHOD_CASES,
  ...TARGET_CASES,
  ...REQUEST_FIELD_CASES,
  ...BODY_CASES,
  ...STATUS_CASES,
  ...RESPONSE_FIELD_CASES,
  ...ENDING_CASES,
];
