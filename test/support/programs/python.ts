import { spawnSync } from 'node:child_process';

import { hasProgram } from '../processes/apt-packages.js';

/** Debian's packages belong to Debian's Python, which another one may precede in PATH. */
const DEBIAN_PYTHON = '/usr/bin/python3';

/** The Python that has a module; Debian's if none has. */
export const pythonWith = (module: string): string =>
  ['python3', DEBIAN_PYTHON].find(
    (python) => spawnSync(python, ['-c', `import ${module}`]).status === 0,
  ) ?? DEBIAN_PYTHON;

/** Whether a module of Python is installed; prints a warning if it is not. */
export const hasPythonModule = (module: string): boolean =>
  hasProgram([`python3-${module}`], pythonWith(module), '-c', `import ${module}`);
