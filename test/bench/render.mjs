/** Writes the figures and the chart of the documentation again, from the reports in docs/performance. */
import { render } from './report/files.mjs';

await render();
