/**
 * What a relay tells its operator about itself: the report that each process makes, and how those of several become one. The
 * page imports these types, so this library imports nothing and uses nothing of Node.js.
 */
export * from './status-report.js';
