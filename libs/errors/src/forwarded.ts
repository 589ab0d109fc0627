/** The verdict on a request that failed. `no`: the upstream has not received it and never will, so it is safe to send it again. */
export type Forwarded = 'no' | 'maybe';
