import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import protobuf from 'protobufjs';

import { hasNpmProgram, packageFolder } from '../programs/npm-program.js';

/** This package contains Envoy's published schema, and is used for nothing else. */
const SCHEMA_PACKAGE = {
  name: 'envoy-schema',
  dependencies: { '@grpc/grpc-js-xds': '1.14.1', '@grpc/grpc-js': '1.14.7' },
};
const { resolve } = createRequire(import.meta.url);
/** Contains the schema of schemas. */
const OWN = dirname(resolve('protobufjs/package.json'));
const FILES = [
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
];
const DURATION = /^\d+(\.\d+)?s$/;
const INTEGER = /^[su]?(int|fixed)(32|64)$/;

type Json = Readonly<Record<string, unknown>>;

/** Whether Envoy's schema is installed; prints a warning if it is not. */
export const hasEnvoySchema = (): boolean => hasNpmProgram(SCHEMA_PACKAGE);

/** What in a configuration of Envoy is unknown to its schema, or of another type; empty if it is valid. */
export function envoyProblems(config: unknown): readonly string[] {
  const root = new protobuf.Root();
  const schema = join(packageFolder(SCHEMA_PACKAGE, '@grpc/grpc-js-xds'), 'deps');
  const folders = [...readdirSync(schema).map((name) => join(schema, name)), OWN];
  root.resolvePath = (_origin, target) =>
    folders.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  root.loadSync(FILES, { keepCase: true }).resolveAll();
  const problems: string[] = [];
  checkMessage(root.lookupType('envoy.config.bootstrap.v3.Bootstrap'), config, '', problems);
  return problems;
}

function checkMessage(type: protobuf.Type, value: unknown, at: string, problems: string[]): void {
  if (type.fullName === '.google.protobuf.Duration') {
    if (typeof value !== 'string' || !DURATION.test(value)) {
      problems.push(`${at} is no duration`);
    }
    return;
  }
  // A wrapped scalar, such as UInt32Value, is written as the scalar.
  const wrapped = type.fullName.startsWith('.google.protobuf.') ? type.fields['value'] : undefined;
  if (wrapped !== undefined && type.name.endsWith('Value')) {
    checkValue(wrapped, value, at, problems);
    return;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${at} is no object`);
    return;
  }
  const { '@type': url, ...others } = value as Json;
  if (type.name === 'Any') {
    const name = String(url).replace('type.googleapis.com/', '');
    checkMessage(type.root.lookupType(name), others, at, problems);
    return;
  }
  for (const [name, content] of Object.entries(others)) {
    checkField(type.fields[name], content, `${at}.${name}`, problems);
  }
  for (const { name, oneof } of type.oneofsArray) {
    if (oneof.filter((field) => field in others).length > 1) {
      problems.push(`${at} has more than one ${name}`);
    }
  }
}

function checkField(
  field: protobuf.Field | undefined,
  content: unknown,
  at: string,
  problems: string[],
): void {
  if (field === undefined) {
    problems.push(`${at} is unknown`);
    return;
  }
  const isMany = field.map || field.repeated;
  const members = isMany ? Object.values(content as object) : [content];
  if (field.repeated && !Array.isArray(content)) {
    problems.push(`${at} is no list`);
  }
  for (const member of members) {
    checkValue(field, member, at, problems);
  }
}

function checkValue(field: protobuf.Field, value: unknown, at: string, problems: string[]): void {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Type) {
    checkMessage(resolvedType, value, at, problems);
  } else if (!hasScalarType(resolvedType ?? type, value)) {
    problems.push(`${at} is no ${type}`);
  }
}

function hasScalarType(type: protobuf.Enum | string, value: unknown): boolean {
  if (typeof type !== 'string') {
    return typeof value === 'string' && value in type.values;
  }
  if (INTEGER.test(type)) {
    return Number.isInteger(value);
  }
  return typeof value === (type === 'bool' ? 'boolean' : type === 'string' ? 'string' : 'number');
}
