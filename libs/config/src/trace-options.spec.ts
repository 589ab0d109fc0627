import { describe, expect, it } from 'vitest';

import { configProblems, relayConfig } from '../../../test/support/relays/config.js';
import { TRACE_DEFAULTS } from '../../../test/support/relays/trace-defaults.js';
import { describeConfig } from './describe-config.js';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318/' };

describe('the URL of the collector', () => {
  it('has the path of traces added, unless it is that of traces already', () => {
    expect(relayConfig(COLLECTOR).tracesUrl).toBe('http://collector.example:4318/v1/traces');
    const both = {
      ...COLLECTOR,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other.example/otlp/traces',
    };
    expect(relayConfig(both).tracesUrl).toBe('https://other.example/otlp/traces');
  });

  it.each([
    'http://c.example/v1/traces/',
    'https://c.example/a%2Fb?key=a%20b',
    'http://c.example?k',
  ])('of traces is used as it is: %s', (url) => {
    const environment = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url };
    expect(relayConfig(environment).tracesUrl).toBe(url);
  });

  it.each([
    ['without a variable', {}],
    ['if the SDK is disabled', { ...COLLECTOR, OTEL_SDK_DISABLED: 'TRUE' }],
    ['without an exporter', { ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }],
  ])('is not there %s', (_, environment) => {
    expect(relayConfig(environment).tracesUrl).toBeUndefined();
  });
});

describe('a value that does not apply', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/json'],
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
  ])('is refused if there is a collector, and has no effect without one: %s=%s', (name, value) => {
    expect(configProblems({ ...COLLECTOR, [name]: value })).toEqual([
      expect.stringMatching(`^${name} must be `),
    ]);
    expect(configProblems({ [name]: value })).toEqual([]);
  });

  const WITHOUT_TRACES = [
    ['no collector', {}],
    ['OTEL_SDK_DISABLED', { ...COLLECTOR, OTEL_SDK_DISABLED: 'true' }],
    ['OTEL_TRACES_EXPORTER', { ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }],
  ] as const;

  it.each(WITHOUT_TRACES)('stops no relay without traces, and has no effect: %s', (_, off) => {
    const environment = {
      OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG: 'endpoint=http://jaeger:14250,pollingIntervalMs=5000',
      OTEL_BSP_SCHEDULE_DELAY: '0',
      OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS_FILE: '/nowhere/at/all',
      OTEL_RESOURCE_ATTRIBUTES: 'team=%zz',
      ...off,
    };
    expect(relayConfig(environment)).toMatchObject(TRACE_DEFAULTS);
  });

  it('of the collector itself stops no relay whose SDK is disabled', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector:4317',
      OTEL_SDK_DISABLED: 'true',
    };
    expect(relayConfig(environment).tracesUrl).toBeUndefined();
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector.example:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector.example:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://user:password@collector.example?a'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://collector.example/?a#b'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://collector.example/a b'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:password@collector.example'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=a%0d%0ab'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=c'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'team=%zz'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'a tenth'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ])('is refused, and not shown: %s=%s', (name, value) => {
    const problems = configProblems({ ...COLLECTOR, [name]: value });
    expect(problems).toEqual([expect.stringMatching(`^${name} must `)]);
    expect(problems.join()).not.toContain(value);
  });
});

it('lists of names and values are decoded', () => {
  const config = relayConfig({
    ...COLLECTOR,
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc=, x-scope = a',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%2Cb,',
  });
  expect(config.otlpHeaders).toEqual([
    ['authorization', 'Bearer abc='],
    ['x-scope', 'a'],
  ]);
  expect(config.otelResourceAttributes).toEqual([['deployment.environment.name', 'a,b']]);
});

it('the credentials of the collector are shown by name only (#119)', () => {
  const config = relayConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318/canary',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/canary?key=canary',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=canary',
  });
  const described = describeConfig(config);
  expect(described.otlpHeaders).toEqual({ authorization: '***' });
  expect(described.otlpTracesHeaders).toEqual({ 'x-key': '***' });
  expect(described.otlpEndpoint).toBe('http://collector.example:4318');
  expect(described.otlpTracesEndpoint).toBe('https://collector.example');
});
