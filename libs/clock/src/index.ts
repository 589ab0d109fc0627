/**
 * Time as a dependency: everything that measures or compares time gets its `Clock` by injection, so that tests can move it.
 * One global module provides the machine's clocks.
 */
export { ClockModule } from './clock.module.js';
export { Clock, SystemClock } from './clock.js';
