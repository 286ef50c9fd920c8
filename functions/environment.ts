/** The functions' environment: written by the stack, read by the handlers, named once. */
export const ENVIRONMENT = {
  closeQueueUrl: 'CLOSE_QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  /** The stack's name, the `service` dimension of every metric. Powertools' own name for it. */
  service: 'POWERTOOLS_SERVICE_NAME',
} as const;
