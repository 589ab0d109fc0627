import cluster from 'node:cluster';

/** The argument with which the relay's primary starts its workers. Process lists show it. */
export const WORKER_MARK = 'worker';

/** Whether the relay's own primary has forked this process. Other programs fork workers too, such as PM2 in cluster mode. */
export const isOurWorker = cluster.isWorker && process.argv.includes(WORKER_MARK);
