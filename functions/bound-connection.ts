import type { Connection } from './connections.ts';
import type { Crm } from './crm/crm.ts';
import type { AnyScheme } from './schemes/scheme.ts';

/** A connection on an event bus with what reads its events. IAM decides who may send them, so it has no scheme. */
export type EventConnection = Connection & { preset: Crm };

/** A webhook with what reads its deliveries and what verifies them. */
export type WebhookConnection = EventConnection & { scheme: AnyScheme };
