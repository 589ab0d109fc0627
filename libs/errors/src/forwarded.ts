/**
 * The verdict on a request that failed. `no`: the upstream has not received the request and never will, so it is safe to send it
 * again. `maybe`: it is unknown whether the upstream has received the request.
 */
export type Forwarded = 'no' | 'maybe';
