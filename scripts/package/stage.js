/** `node scripts/package/stage.js FOLDER`, for the Dockerfile. It needs the build and node_modules, and no network. */
import { refuseArguments } from '../../bin/arguments.js';
import { stageProduct } from './staged-product.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  refuseArguments('Usage: node scripts/package/stage.js FOLDER', 'a folder is needed');
} else {
  stageProduct(folder);
}
