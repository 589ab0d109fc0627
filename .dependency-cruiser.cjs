/** The direction of imports, as docs/architecture.md states it. Cycles of folders: .dependency-cruiser.folders.cjs. */

/** Rooms that serve requests, each in its role. */
const ROLES = ['outbound', 'inbound', 'pairing', 'pass-through'];

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
      comment: 'files that need each other lack a third one below both',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    mayImportOnly('errors'),
    mayImportOnly('clock'),
    mayImportOnly('fields'),
    mayImportOnly('status'),
    mayImportOnly('config', 'errors', 'fields'),
    mayImportOnly('protocol', 'errors', 'fields'),
    mayImportOnly('http', 'errors', 'fields'),
    mayImportOnly('signature', 'errors', 'protocol'),
    mayImportOnly('channel', 'errors', 'protocol'),
    mayImportOnly('session', 'clock', 'config', 'errors', 'protocol'),
    {
      name: 'protocol-is-pure',
      comment: 'libs/protocol knows node:crypto and HPKE, no framework, no sockets, no store',
      severity: 'error',
      from: { path: '^libs/protocol/src/(?!.*[.]spec[.]ts$)' },
      to: { path: '(@nestjs|fastify|undici|axios|ioredis|^(node:)?(http|https|net|tls|fs))' },
    },
    {
      name: 'channel-is-pure',
      comment: 'libs/channel knows no framework, no sockets, no clock',
      severity: 'error',
      from: { path: '^libs/channel/src/(?!.*[.]spec[.]ts$)' },
      to: {
        path: '(@nestjs|fastify|undici|axios|ioredis|/ws/|^(node:)?(http|https|net|tls|fs|timers))',
      },
    },
    {
      name: 'index-is-for-others',
      comment: "no file inside a library imports the library's own index.ts",
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/' },
      to: { path: '^libs/$1/src/index[.]ts$' },
    },
    {
      name: 'index-is-the-only-entry',
      comment: 'what index.ts does not export may change freely',
      severity: 'error',
      from: { path: '^(apps|libs/([^/]+))/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index[.]ts$', '^libs/$2/'] },
    },
    {
      name: 'tests-stay-outside',
      comment: 'only specs import from test/',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '[.](spec|contract)[.]ts$' },
      to: { path: '^test/' },
    },
    ...ROLES.map((role) => ({
      name: `${role}-stays-apart`,
      comment: 'what roles share goes down into a room below them, or into a library',
      severity: 'error',
      from: { path: `^apps/relay/src/${role}/` },
      to: { path: `^apps/relay/src/(${ROLES.filter((other) => other !== role).join('|')})/` },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
