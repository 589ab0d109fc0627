import { expect, it } from 'vitest';

import { isCredentialName } from './credential-names.js';

it.each([
  ...['authorization', 'cookie', 'set-cookie', 'cookie2', 'set-cookie2'],
  ...['proxy-authorization', 'proxy-authenticate', 'proxy-status', 'proxy_authorization'],
  ...['x-api-key', 'x_api_key', 'api-key', 'apikey', 'x-apikey', 'x-goog-api-key', 'xi-api-key'],
  ...['x-auth-token', 'x-authtoken', 'x-auth-key', 'x-auth', 'x-access-token', 'x-accesskey'],
  ...['x-amz-security-token', 'x-vault-token', 'x-csrf-token', 'private-token', 'token'],
  ...['x-functions-key', 'ocp-apim-subscription-key', 'x-rapidapi-key', 'dd-application-key'],
  ...['x-serverless-authorization', 'x-forwarded-authorization', 'x-forwarded-access-token'],
  ...['x-goog-iap-jwt-assertion', 'cf-access-client-secret', 'x-client-credentials', 'x-password'],
])('%s names a credential', (name) => {
  expect(isCredentialName(name)).toBe(true);
});

it.each([
  ...['x-zone', 'x-region', 'x-forwarded-for', 'forwarded', 'user-agent', 'server', 'via'],
  ...['cache-control', 'strict-transport-security', 'x-frame-options', 'vary', 'date'],
  ...['x-author', 'x-keyboard', 'x-monkey', 'x-tokens-left', 'x-secretary', 'proxyless', 'x-proxy'],
  ...['__proto__', 'constructor', '-', 'x-from', 'x-tenant', 'traceparent', 'accept'],
])('%s does not', (name) => {
  expect(isCredentialName(name)).toBe(false);
});
