import type { VerifySettings } from './schemes/scheme.ts';

/** A PolyAI project, checked at synth and embedded in the bundles. */
export type Project = {
  region: string;
  /** `https://host` (and path, if any) without a trailing slash. */
  baseUrl: string;
  version: string;
  accountId: string;
  projectId: string;
  /** Name or ARN of the secret with `{ apiKey, token }`; the value never leaves Secrets Manager and memory. */
  secretId: string;
};

/** A project whose chats are looked for on a schedule. */
export type CleanupProject = Project & {
  /** `live`, `pre-release` or `sandbox`. */
  clientEnv: string;
  cleanup: {
    idleForMs: number;
    lookbackMs: number;
    /** Those whose chats may be closed. */
    channels: string[];
    maxCloses: number;
    dryRun: boolean;
    /** Until the next run: a close that is not through by then is its to ask for again. */
    periodMs: number;
  };
};

/** A CRM's webhook: what it is, how it is proven and which project its chats belong to. */
export type Connection = {
  crm: string;
  project: string;
  /** Name or ARN of the secret that proves deliveries; absent where the proof needs none. */
  secretId?: string;
  verify: VerifySettings;
  /** JMESPath over `{ body, headers, query }`, instead of the preset's. */
  conversationId?: string;
  /** JMESPath that must give a boolean, or `"always"`; instead of the preset's. */
  finishedWhen?: string;
  finishedValues?: string[];
  /** Find the conversation by the id that it shares with the CRM. */
  lookUp?: 'sharedId';
  /** Take `lookUp` although the events cannot prove the change to finished: a second finish may close a newer chat. */
  repeatedFinish?: 'allow';
  /** JMESPath of that id, instead of the preset's. */
  sharedId?: string;
  /** How the body is read, where it is not JSON. */
  format?: 'json' | 'form';
  /** The account, organisation or workspace that must have sent a delivery. */
  sender?: string;
  /** The address that the CRM calls, where it is not the API's own. */
  publicUrl?: string;
  /** CIDR blocks; absent means any source. */
  allowedSources?: string[];
};
