/**
 * Rooms depend on each other in one direction only. A folder is judged by all of its files together, so specs are left out:
 * they may use what lies above the code that they test.
 */
const { options } = require('./.dependency-cruiser.cjs');

module.exports = {
  forbidden: [
    {
      name: 'no-cycles-of-folders',
      comment: 'folders that need each other are one room, or lack a third one below both',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: { ...options, exclude: { path: '[.](spec|contract)[.]ts$' } },
};
