import type { Cloud } from './cloud.js';

export interface LocalCloudOptions {
  /** The gateway's data directory; agents live in `conpaas/agents` of it. */
  data: string;
  /** Unix ids for uploaded code, one per ConPaaS user: first + uid. Undefined: applications run as the gateway's own user. */
  uids?: { first: number; last: number };
  /** Seconds; see main.ts of the agent. */
  claimSeconds?: number;
  log?: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export declare function localCloud(options: LocalCloudOptions): Cloud;

/** Ends every agent of a data directory with its application, without a gateway. Their folders stay. Returns how many there were. */
export declare function stopAll(data: string): Promise<number>;
