import { variableName } from '@relay/fields';

import type { HeaderField } from '../../rules/headers.js';
import { tryKeyPair } from '../../rules/key-pair.js';
import { Refused } from '../../rules/rule.js';
import { origin } from '../../rules/url.js';
import type { TenantEntry, UpstreamTls } from '../directory.js';
import type { FileContext } from './context.js';
import { checkPeerNames } from './known-names.js';
import type { KeyPath } from './problems.js';
import { readEntry } from './read-entry.js';
import type { FileSource } from './sources.js';
import { Taken } from './taken.js';
import { TenantInFile } from './tenant-in-file.js';
import type { Plain } from './yaml-text.js';

const MAX_PEM_BYTES = 1_048_576;

type PemLabel = 'CERTIFICATE' | 'PRIVATE KEY';

const readPem = (
  source: FileSource | undefined,
  label: PemLabel,
  path: KeyPath,
  { files, problems }: FileContext,
): { readonly file: string; readonly content: Buffer } | undefined => {
  if (source === undefined) {
    return undefined;
  }
  const file = files.pathOf(source.file);
  const content = problems.accept([...path, 'file'], files.read(file, MAX_PEM_BYTES));
  if (content === undefined) {
    return undefined;
  }
  if (!new RegExp(`^-----BEGIN ([A-Z]+ )?${label}-----`, 'm').test(content.toString('latin1'))) {
    problems.add([...path, 'file'], `must name a PEM file with a ${label} block`);
    return undefined;
  }
  return { file, content };
};

const readTls = (
  tenant: Partial<TenantInFile>,
  path: KeyPath,
  context: FileContext,
): UpstreamTls => {
  const { ca, cert, key, serverName } = tenant.upstreamTls ?? {};
  const { problems } = context;
  if (tenant.upstreamTls !== undefined && tenant.upstream?.startsWith('http:') === true) {
    problems.add(path, 'needs an upstream that begins with https');
  }
  const caFile = readPem(ca, 'CERTIFICATE', [...path, 'ca'], context);
  const certFile = readPem(cert, 'CERTIFICATE', [...path, 'cert'], context);
  const keyFile = readPem(key, 'PRIVATE KEY', [...path, 'key'], context);
  if ((cert === undefined) !== (key === undefined)) {
    problems.add(path, 'must have both cert and key, or neither');
  }
  if (certFile !== undefined && keyFile !== undefined) {
    try {
      tryKeyPair({ cert: certFile.content, key: keyFile.content });
    } catch {
      // Whatever the reason, the two cannot be used together.
      problems.add([...path, 'key'], 'must be the key of cert, without a passphrase');
    }
  }
  return { caFile: caFile?.file, certFile: certFile?.file, keyFile: keyFile?.file, serverName };
};

/** Names in HEADERS, or in `headers`, that another option sets as well: which of the two counts would be a guess. */
const checkHeaders = (
  headers: readonly HeaderField[],
  others: readonly HeaderField[],
  path: KeyPath,
  { problems }: FileContext,
): void => {
  const taken = new Set(headers.map(([name]) => variableName(name)));
  others
    .filter(([name]) => taken.has(variableName(name)))
    .forEach(([name]) => {
      problems.add(path, `must not set ${name}, which headers (or HEADERS) sets`);
    });
};

const readTenant = (
  name: string,
  key: string,
  tenant: Partial<TenantInFile>,
  peers: readonly string[],
  context: FileContext,
): TenantEntry => {
  const path = ['tenants', key];
  const { config, problems } = context;
  checkPeerNames(tenant.peers, [...path, 'peers'], peers, problems);
  const headers = tenant.headers ?? config.headers;
  const requestHeaders = tenant.requestHeaders ?? config.requestHeaders;
  const responseHeaders = tenant.responseHeaders ?? config.responseHeaders;
  checkHeaders(headers, requestHeaders, [...path, 'requestHeaders'], context);
  checkHeaders(headers, responseHeaders, [...path, 'responseHeaders'], context);
  return {
    name,
    audiences: [...new Set([name, ...(tenant.aliases ?? [])])],
    upstream: tenant.upstream ?? '',
    upstreamTls: readTls(tenant, [...path, 'upstreamTls'], context),
    upstreamHost: tenant.upstreamHost ?? 'upstream',
    peers: tenant.peers,
    routes: tenant.routes,
    passThroughRoutes: tenant.passThroughRoutes ?? [],
    corsOrigins: tenant.corsOrigins,
    corsMethods: tenant.corsMethods ?? config.corsMethods,
    headers,
    requestHeaders,
    responseHeaders,
    forwardClient: tenant.forwardClient,
  };
};

/** Reads the tenants of a file. Problems are reported. */
export function readTenants(
  entries: readonly (readonly [name: string, content: Plain])[],
  peers: readonly string[],
  context: FileContext,
): readonly TenantEntry[] {
  const { problems } = context;
  const audiences = new Taken(problems, (other) => `is an audience of ${other} too`);
  return entries.flatMap(([key, content]) => {
    const path = ['tenants', key];
    const name = origin(key);
    const tenant = readEntry(TenantInFile, content, path, problems);
    if (name instanceof Refused || tenant === undefined) {
      return [];
    }
    audiences.take(name, path, key);
    tenant.aliases?.forEach((alias, index) => {
      audiences.take(alias, [...path, 'aliases', index], key);
    });
    return [readTenant(name, key, tenant, peers, context)];
  });
}
