import cluster from 'node:cluster';

/** The argument that a primary of ours starts its workers with; lists of processes show it. */
export const WORKER_MARK = 'worker';

/** Whether a primary of ours has forked this process. Other programs have workers too, as PM2 in its cluster mode. */
export const isOurWorker = cluster.isWorker && process.argv.includes(WORKER_MARK);
