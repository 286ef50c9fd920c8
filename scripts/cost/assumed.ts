/** Hours of a month, as AWS's own calculations have it. */
export const HOURS = 730;
export const SECONDS = HOURS * 3600;

/** What can be neither counted nor measured here. docs/cost.md lists it. */
export const ASSUMED = {
  polyaiMs: { value: 200, meaning: 'milliseconds that PolyAI takes to close a chat' },
  ownMs: { value: 14, meaning: 'milliseconds that a function itself works on a delivery or a close' },
  startMs: { value: 500, meaning: 'milliseconds that a function takes to start' },
  keptHours: { value: 1, meaning: 'hours that Lambda keeps a started function' },
  peak: { value: 5, meaning: 'times as much traffic at the peak as on average' },
  cleanupMs: { value: 20_000, meaning: 'milliseconds that a run of the cleanup takes' },
  canaryMs: { value: 500, meaning: 'milliseconds that a run of the canary takes' },
  callBytes: { value: 1000, meaning: 'bytes that a call to PolyAI sends out of AWS' },
  answerBytes: { value: 300, meaning: 'bytes of the answer to a CRM' },
  lineOverhead: { value: 26, meaning: 'bytes that CloudWatch adds to a line' },
  compressed: { value: 0.15, meaning: 'of the size of a line is stored, after compression' },
  pollsAMinute: {
    value: 15,
    meaning: 'times a minute that Lambda polls an empty queue: five pollers wait 20 seconds each',
  },
} as const satisfies Record<string, { value: number; meaning: string }>;
