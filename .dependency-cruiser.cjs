/** The direction of imports, as docs/architecture.md states it. */
const lib = (name) => `^libs/${name}/`;
const mayImportOnly = (name, ...allowed) => ({
  name: `${name}-imports`,
  comment: `libs/${name} may import only ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: lib(name), pathNot: '[.](spec|contract)[.]ts$' },
  to: { path: '^(apps|libs|test|scripts)/', pathNot: [name, ...allowed].map(lib) },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'a cycle is a missing third module',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    mayImportOnly('errors'),
    mayImportOnly('clock'),
    mayImportOnly('fields'),
    mayImportOnly('config'),
    mayImportOnly('protocol', 'errors', 'fields'),
    mayImportOnly('http', 'errors', 'fields'),
    mayImportOnly('signature', 'errors', 'protocol'),
    mayImportOnly('session', 'clock', 'config', 'errors', 'protocol'),
    {
      name: 'protocol-is-pure',
      comment: 'libs/protocol knows node:crypto and HPKE, no framework, no sockets, no store',
      severity: 'error',
      from: { path: '^libs/protocol/src/(?!.*[.]spec[.]ts$)' },
      to: { path: '(@nestjs|fastify|undici|axios|ioredis|^(node:)?(http|https|net|tls|fs))' },
    },
    {
      name: 'index-is-for-others',
      comment: "no file inside a lib imports the lib's own door",
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/' },
      to: { path: '^libs/$1/src/index[.]ts$' },
    },
    {
      name: 'index-is-the-only-door',
      severity: 'error',
      from: { path: '^(apps|libs/([^/]+))/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index[.]ts$', '^libs/$2/'] },
    },
    {
      name: 'tests-stay-outside',
      comment: 'only specs use what tests are made of',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '[.](spec|contract)[.]ts$' },
      to: { path: '^test/' },
    },
    {
      name: 'roles-stay-apart',
      comment: 'what inbound and outbound share goes down into a lib',
      severity: 'error',
      from: { path: '^apps/relay/src/inbound/' },
      to: { path: '^apps/relay/src/(outbound|pairing|pass-through)/' },
    },
    {
      name: 'roles-stay-apart-too',
      severity: 'error',
      from: { path: '^apps/relay/src/outbound/' },
      to: { path: '^apps/relay/src/(inbound|pairing|pass-through)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
