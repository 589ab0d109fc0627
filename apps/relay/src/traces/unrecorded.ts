import type { RawFields } from '@relay/fields';

import type { CallTrace, RequestTrace } from './tracer.js';
import { withNewTraceparent } from './traceparent.js';

const nothing = (): void => undefined;

/** A request whose trace is not recorded, and whose fields say so already, or belong to a trace that others record. */
export const UNCHANGED: RequestTrace = {
  traceId: undefined,
  call: () => undefined,
  connectionEnded: nothing,
  end: nothing,
};

/** A request without a trace that is not to be recorded: whoever is called next learns this too, and begins none itself. */
export function unrecorded(traceId: string, traceparent: string): RequestTrace {
  const call: CallTrace = {
    fieldsOf: (fields: RawFields) => withNewTraceparent(fields, traceparent),
    end: nothing,
  };
  return { traceId, call: () => call, connectionEnded: nothing, end: nothing };
}
