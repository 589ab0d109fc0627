/**
 * Ends the process with one sentence if Node.js is older than package.json requires. Every command of package.json runs
 * this before anything else, because an old Node.js fails to read most other files. It is itself written so that any
 * version can read it.
 */
var oldest = require('../package.json').engines.node.replace('>=', '');

/** @param {string} version */
function numbersOf(version) {
  var parts = version.split('.');
  return Number(parts[0]) * 1000 + Number(parts[1]);
}

var current = process.versions.node;
if (numbersOf(current) < numbersOf(oldest)) {
  console.error('MTE API Relay needs Node.js ' + oldest + ' or newer; this is ' + current + '.');
  process.exit(1);
}
