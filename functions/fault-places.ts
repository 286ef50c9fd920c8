/**
 * The value of `where` in a fault line, and what failed there. docs/operations.md says what to do about each; a
 * test keeps its table complete.
 */
export const FAULT_PLACES = {
  receive: 'the receiver: an error in the program',
  'receive: secret': 'reading or using the secret of a connection',
  'receive: keys': "fetching the vendor's published keys",
  'receive: queue': 'queueing the closes of a delivery',
  event: 'the event function: an error in the program',
  'event: message': "reading a message from the events' queue",
  'event: queue': 'queueing the closes of an event',
  close: 'the worker: an error in the program',
  'close: secret': 'reading or using the secret of a project',
  'close: queue': 'queueing the close that a look-up found',
  'close: change of visibility': 'postponing the next attempt',
  'close: send back': 'sending a close back to the queue until its next attempt',
  'close: dead-letter queue': 'sending a close to the dead-letter queue',
  cleanup: 'a cleanup run: an error in the program',
  'cleanup: project': 'finding the project that the schedule names',
  'cleanup: secret': 'reading or using the secret of a project',
  'cleanup: list': 'listing the open chats',
  'cleanup: queue': 'queueing the closes of a run',
} as const satisfies Record<string, string>;

export type Where = keyof typeof FAULT_PLACES;
