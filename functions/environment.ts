/** The names of the functions' environment variables, which the stack sets and the handlers read. */
export const ENVIRONMENT = {
  closeQueueUrl: 'CLOSE_QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  /** Holds the stack's name, which every line has as `service`. */
  service: 'STACK_NAME',
} as const;
