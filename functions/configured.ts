import type { CleanupProject, Connection, Project } from './connections.ts';
import type { Crm } from './crm/crm.ts';
import type { AnyScheme } from './schemes/scheme.ts';

// What a deployment is configured for. This one is empty: it serves wherever no stack was built. At synth
// infra/bundle.ts writes one with the connections of connections.json, and esbuild puts it here instead, so
// that a bundle carries only the CRMs and schemes which the configuration names.

export const projects: Record<string, Project> = {};
export const listedProjects: Record<string, CleanupProject> = {};
export const connections: Record<string, Connection> = {};
export const crms: Record<string, Crm> = {};
export const eventConnections: Record<string, Connection> = {};
export const eventCrms: Record<string, Crm> = {};
export const schemes: Record<string, AnyScheme> = {};
