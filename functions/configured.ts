import type { EventConnection, WebhookConnection } from './bound-connection.ts';
import type { CleanupProject, Project } from './connections.ts';

// The configuration of a deployment. These tables are empty: they serve wherever no stack was built. At synth
// infra/bundle.ts writes a module with the same exports, filled from connections.json, and esbuild bundles that
// one instead (`#configured`). It binds to each connection the preset and the scheme that it names, so a bundle
// carries no others.

/** Whether the close queue has closes of several projects. */
export const isShared: boolean = true;
/** The projects whose chats the worker closes. */
export const projects: Record<string, Project> = {};
/** The projects with a cleanup. */
export const listedProjects: Record<string, CleanupProject> = {};
/** The webhooks, for the receiver. */
export const connections: Record<string, WebhookConnection> = {};
/** The connections on event buses, for the event reader. */
export const eventConnections: Record<string, EventConnection> = {};
