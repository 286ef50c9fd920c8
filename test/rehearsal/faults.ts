/** What a story changes in a world, besides keys, secrets, deployments and PolyAI's answers. */
export type Faults = {
  /** CRMs that send nothing. */
  silent: Set<string>;
  /** Secrets that Secrets Manager refuses. */
  deniedSecrets: Set<string>;
  /** Functions that crash, named as in `Close`. */
  crashing: Set<string>;
  isWorkerThrottled: boolean;
  /** The gateway's own answer to every request. */
  gateway: number | undefined;
  isSchedulerFailing: boolean;
  isCanaryOff: boolean;
};

export function noFaults(): Faults {
  return {
    silent: new Set(),
    deniedSecrets: new Set(),
    crashing: new Set(),
    isWorkerThrottled: false,
    gateway: undefined,
    isSchedulerFailing: false,
    isCanaryOff: false,
  };
}
