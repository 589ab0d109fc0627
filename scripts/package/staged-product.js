import { copyProductFiles, productFiles } from './product-files.js';
import { copyProductionModules } from './production-modules.js';
import { setModes } from './file-tree.js';

const COMMAND = 'bin/mte-api-relay';

/**
 * Copies the relay's own files and the packages of npm that it needs.
 *
 * @param {string} folder
 */
export function stageProduct(folder) {
  copyProductFiles(folder, productFiles());
  copyProductionModules(folder);
  // Readable by every user, regardless of the file modes of the checkout.
  setModes(folder, { [COMMAND]: 0o755 });
}
