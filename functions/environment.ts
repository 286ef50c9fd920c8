/** The names of the functions' environment variables, which the stack sets and the handlers read. */
export const ENVIRONMENT = {
  closeQueueUrl: 'CLOSE_QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  /** Holds the stack's name, the `service` dimension of every metric. Powertools defines this variable. */
  service: 'POWERTOOLS_SERVICE_NAME',
} as const;
