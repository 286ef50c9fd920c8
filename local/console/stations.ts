/** The stations on the way of a delivery, for the page and for the picture in the README. */
export const WAY = [
  { id: 'crm', name: 'CRM', about: 'sends a signed webhook' },
  { id: 'api', name: 'API', about: 'one address for each connection' },
  { id: 'receiver', name: 'Receiver', about: 'verifies, reads, queues, then answers 200' },
  { id: 'queue', name: 'Queue', about: 'keeps every close until it is done' },
  { id: 'worker', name: 'Worker', about: 'takes a close, calls PolyAI, tries again' },
  { id: 'polyai', name: 'PolyAI', about: 'ends the chat' },
  { id: 'logs', name: 'Logs', about: 'one line for each delivery and attempt' },
] as const;

export type StationId = (typeof WAY)[number]['id'];
