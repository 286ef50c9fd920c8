/** The names of the functions' environment variables, which the stack sets and the handlers read. */
export const ENVIRONMENT = {
  closeQueueUrl: 'CLOSE_QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  /** The public address of the canary's connection. */
  canaryUrl: 'CANARY_URL',
  /** Name of the secret that the canary signs with. */
  canarySecretId: 'CANARY_SECRET_ID',
  /** Holds the stack's name, which every line has as `service`. */
  service: 'STACK_NAME',
} as const;
