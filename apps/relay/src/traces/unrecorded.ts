import type { RawFields } from '@relay/fields';

import type { CallTrace, RequestTrace } from './tracer.js';
import { withNewTraceparent } from './traceparent.js';

/** A request whose caller has begun a trace that this relay does not record: its fields go on as they are. */
export class UnchangedTrace implements RequestTrace {
  readonly isRecorded = false;

  constructor(readonly traceId: string) {}

  call(): CallTrace | undefined {
    return undefined;
  }

  connectionEnded(): void {
    // There is no span.
  }

  end(): void {
    // There is no span.
  }
}

/** A request without a trace that is not to be recorded: whoever is called next learns this too, and begins none itself. */
export class UnrecordedTrace extends UnchangedTrace implements CallTrace {
  /** @param traceparent - that says so */
  constructor(
    traceId: string,
    private readonly traceparent: string,
  ) {
    super(traceId);
  }

  override call(): CallTrace {
    return this;
  }

  fieldsOf(fields: RawFields): RawFields {
    return withNewTraceparent(fields, this.traceparent);
  }
}
