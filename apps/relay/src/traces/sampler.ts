import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { RelayConfig } from '@relay/config';

type SamplerOptions = Pick<RelayConfig, 'otelTracesSampler' | 'otelTracesRatio'>;

/** The sampler that the configuration names. */
export function samplerOf({ otelTracesSampler, otelTracesRatio }: SamplerOptions): Sampler {
  switch (otelTracesSampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(otelTracesRatio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(otelTracesRatio) });
  }
}
