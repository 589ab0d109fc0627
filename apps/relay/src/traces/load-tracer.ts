import type { RelayConfig } from '@relay/config';

import type { ExportEvents } from './span-export.js';
import type { Tracer } from './tracer.js';

/** The tracer that the configuration asks for. Only if it does is the SDK of OpenTelemetry loaded. */
export async function loadTracer(
  config: RelayConfig,
  events: () => ExportEvents,
): Promise<Tracer | undefined> {
  const { tracesUrl } = config;
  if (tracesUrl === undefined) {
    return undefined;
  }
  const { SdkTracer } = await import('./sdk-tracer.js');
  return new SdkTracer(config, tracesUrl, events());
}
