import 'reflect-metadata';

export { check } from './check.js';
export { lineOf } from './report-lines.js';
export { NOT_REACHED } from './steps.js';
