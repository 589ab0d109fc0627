/** A cluster primary that is not a relay, such as PM2 in cluster mode: runs a script and sends it a message. */
import cluster from 'node:cluster';
import process from 'node:process';

cluster.setupPrimary({ exec: process.argv[2] });
const worker = cluster.fork();
worker.once('online', () => worker.send('a word that no relay knows'));
worker.on('message', (message) => {
  process.stdout.write(`${JSON.stringify({ msg: 'told by the worker', message })}\n`);
});
worker.once('exit', (exitCode) => process.exit(exitCode ?? 1));
process.on('SIGTERM', () => worker.process.kill('SIGTERM'));
